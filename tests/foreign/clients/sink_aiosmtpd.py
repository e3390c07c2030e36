"""A server that tells what it is given: for each message a line with the envelope and the SHA-256 of the raw content below its
first header field, which is that of the gateway before it. Says its port first; ends with its input."""
import hashlib
import json
import re
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

# Lines may be longer than RFC 5321 allows: whoever is in front decides.
SMTP.line_length_limit = 1 << 20

FIRST_FIELD = re.compile(rb"\AReceived:[^\n]*\n(?:[ \t][^\n]*\n)*")


class Told:
    async def handle_DATA(self, server, session, envelope):
        raw = envelope.original_content
        first = FIRST_FIELD.match(raw)
        told = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "options": envelope.mail_options,
            "rest": hashlib.sha256(raw[first.end():]).hexdigest() if first else None,
            "size": len(raw) - first.end() if first else None,
        }
        print(json.dumps(told), flush=True)
        return "250 2.0.0 kept"


controller = Controller(Told(), hostname="127.0.0.1", port=int(sys.argv[1]), enable_SMTPUTF8=True, decode_data=False)
controller.start()
print(json.dumps({"listens": True}), flush=True)
sys.stdin.read()
controller.stop()
