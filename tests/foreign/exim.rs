//! Exim, with a spool and a configuration of its own.

use std::process::Command;

use crate::server::{End, Site, has_users, program, said_by, spawn};
use crate::trust::HOST;

/// The user that Debian's build runs as.
const USER: &str = "Debian-exim";

pub fn begin(site: &Site) -> Option<End> {
    let exim = program("exim4").filter(|_| has_users(&[USER]))?;
    let file = site.root.join("exim.conf");
    std::fs::write(&file, configuration(site, &exim.display().to_string())).expect("the configuration");
    said_by(Command::new("chown").arg("-R").arg(format!("{USER}:{USER}")).arg(site.root));
    // Exim reads a configuration that root alone can have written.
    said_by(Command::new("chown").arg("root:root").arg(&file));
    // In the foreground, with a look at the queue each second.
    Some(End::Group(spawn(Command::new(exim).arg("-C").arg(&file).args(["-bdf", "-q1s"]), site.root)))
}

fn configuration(site: &Site, program: &str) -> String {
    let (root, port, implicit, place) = (site.root.display(), site.port, site.implicit, site.place);
    let next = place.next;
    let listens = match place.asks {
        Some(_) => format!(
            "daemon_smtp_ports = {port} : {implicit}\ntls_on_connect_ports = {implicit}\ntls_advertise_hosts = *\n\
             tls_certificate = {root}/own.pem\ntls_privatekey = {root}/own.key\n\
             auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}\n"
        ),
        None => format!("daemon_smtp_ports = {port}\ntls_advertise_hosts =\n"),
    };
    let who = if place.asks.is_some() { "authenticated = *" } else { "hosts = 127.0.0.1" };
    let tls = match place.signs_in {
        Some(_) => format!(
            "  hosts_require_tls = *\n  hosts_require_auth = *\n  tls_verify_hosts = *\n  tls_verify_certificates = {root}/ca.pem\n"
        ),
        None => "  hosts_avoid_tls = *\n".to_owned(),
    };
    let mut authenticators = String::new();
    if let Some(account) = place.asks {
        let (user, password) = (account.user, account.password);
        authenticators = format!(
            "plain:\n  driver = plaintext\n  public_name = PLAIN\n  server_set_id = $auth2\n  \
             server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}\n\
             login:\n  driver = plaintext\n  public_name = LOGIN\n  server_prompts = Username:: : Password::\n  \
             server_set_id = $auth1\n  server_condition = ${{if and{{{{eq{{$auth1}}{{{user}}}}}{{eq{{$auth2}}{{{password}}}}}}}}}\n"
        );
    }
    if let Some(account) = place.signs_in {
        let (user, password) = (account.user, account.password);
        authenticators.push_str(&format!(
            "ours:\n  driver = plaintext\n  public_name = PLAIN\n  client_send = ^{user}^{password}\n"
        ));
    }
    format!(
        "exim_path = {program}\nexim_user = {USER}\nexim_group = {USER}\nprimary_hostname = relay.saltmere.example\n\
         spool_directory = {root}/spool\nlog_file_path = {root}/%slog\npid_file_path = {root}/pid\n{listens}\
         local_interfaces = 127.0.0.1\ndisable_ipv6 = true\nhost_lookup =\nrfc1413_hosts =\nkeep_environment =\n\
         acl_smtp_rcpt = rcpt\nsmtp_accept_max = 0\nsmtp_accept_queue_per_connection = 0\ncheck_spool_space = 0\n\
         begin acl\nrcpt:\n  accept {who}\n  deny message = sign in first\n\
         begin routers\nnext:\n  driver = manualroute\n  route_list = * {HOST} byname\n  self = send\n  transport = out\n\
         begin transports\nout:\n  driver = smtp\n  port = {next}\n  hosts_try_fastopen =\n{tls}\
         begin retry\n* * F,1h,1s\nbegin authenticators\n{authenticators}"
    )
}
