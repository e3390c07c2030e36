"""Sends a file as the description in the first argument says."""
import json
import smtplib
import ssl
import sys

told = json.loads(sys.argv[1])
trust = ssl.create_default_context(cafile=told["trust"])
at = dict(host="localhost", port=told["port"], local_hostname="client.saltmere.example", timeout=30)
smtp = smtplib.SMTP_SSL(context=trust, **at) if told["tls"] == "implicit" else smtplib.SMTP(**at)
with smtp:
    if told["tls"] == "starttls":
        smtp.starttls(context=trust)
    smtp.ehlo()
    if told["method"]:
        smtp.user, smtp.password = told["user"], told["password"]
        smtp.auth(told["method"], getattr(smtp, "auth_" + told["method"].lower()))
    with open(told["file"], "rb") as file:
        sys.exit(len(smtp.sendmail(told["from"], told["to"], file.read(), mail_options=told["options"])))
