"""Sends a file as the description in the first argument says."""
import asyncio
import json
import ssl
import sys

import aiosmtplib

told = json.loads(sys.argv[1])


async def main():
    smtp = aiosmtplib.SMTP(
        hostname="localhost",
        port=told["port"],
        use_tls=told["tls"] == "implicit",
        start_tls=told["tls"] == "starttls",
        tls_context=ssl.create_default_context(cafile=told["trust"]),
        local_hostname="client.saltmere.example",
        timeout=30,
    )
    async with smtp:
        await smtp.ehlo()
        if told["method"]:
            sign_in = getattr(smtp, "auth_" + told["method"].lower())
            await sign_in(told["user"], told["password"])
        with open(told["file"], "rb") as file:
            refused, _ = await smtp.sendmail(told["from"], told["to"], file.read(), mail_options=told["options"])
        return len(refused)


sys.exit(asyncio.run(main()))
