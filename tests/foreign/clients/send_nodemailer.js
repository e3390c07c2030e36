// Sends a file as the description in the first argument says.
const fs = require('fs');
const nodemailer = require('nodemailer');

const told = JSON.parse(process.argv[2]);
const transport = nodemailer.createTransport({
  host: 'localhost',
  port: told.port,
  name: 'client.saltmere.example',
  secure: told.tls === 'implicit',
  requireTLS: told.tls === 'starttls',
  ignoreTLS: told.tls === 'none',
  tls: { ca: fs.readFileSync(told.trust) },
  auth: told.method ? { user: told.user, pass: told.password } : undefined,
  authMethod: told.method || undefined,
  // Or it sends without a word where AUTH is not offered.
  forceAuth: Boolean(told.method),
});
transport
  .sendMail({ envelope: { from: told.from, to: told.to }, raw: fs.readFileSync(told.file) })
  .then((info) => process.exit(info.rejected.length), (error) => {
    console.error(error.message);
    process.exit(1);
  });
