#!/usr/bin/env python3
"""What becomes of damaged files: are words lost without being told, and how long does it take?

    mutate.py [--seed N] [--count N] [--only FORMAT,…] [--keep FOLDER] SCHOOLGATE

Makes one file of each format (see documents.py beside this file for what that needs) and damages it in COUNT ways: cut
short, octets changed, runs set to zero, runs taken out or doubled, and fields of two or four octets that lie (0, 0xff…).
A word is *lost silently* where `schoolgate extract` says that all was read (exit status 0), the sound file has the word, and it
is not found any more although it is still there: in packed formats always, in the others where its octets still stand
in the file, or where a lenient reader (Python's own for HTML and mail, pdftotext for PDF) still shows it. Beside that the
longest time and the highest memory of any of the files. With `--keep` the files that lost words are left in FOLDER.
"""

import argparse, bz2, concurrent.futures, gzip, json, os, pathlib, random, re, shutil, struct, subprocess, sys, tarfile, tempfile, time, unicodedata, zipfile
import email, email.policy

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import documents
from words import of_html, of_pdf, text_of, words


def compound(streams):
    """An OLE compound file of streams in its root or one storage below: {"name": octets, "storage/name": octets}."""
    entries, children = [["Root Entry", 5, b""]], {0: []}
    for path, data in streams.items():
        parent = 0
        for number, part in enumerate(path.split("/")):
            last = number == path.count("/")
            found = next((c for c in children[parent] if entries[c][0] == part), None)
            if found is None:
                found = len(entries)
                entries.append([part, 2 if last else 1, data if last else b""])
                children[parent].append(found)
                children[found] = []
            parent = found
    body, table, starts = b"", [], []
    def add(data):
        nonlocal body
        if not data:
            return 0xFFFFFFFE
        at, count = len(table), -(-len(data) // 512)
        table.extend([*range(at + 1, at + count), 0xFFFFFFFE])
        body += data.ljust(count * 512, b"\0")
        return at
    # Streams stand in sectors of 512 octets: the limit of small streams is set to none.
    starts = [add(e[2]) for e in entries]
    none, right = 0xFFFFFFFF, {}
    for group in children.values():
        right.update(zip(group, group[1:]))
    directory = b""
    for n, (name, kind, data) in enumerate(entries):
        name = (name + "\0").encode("utf-16le")
        directory += name.ljust(64, b"\0") + struct.pack("<HBBIII", len(name), kind, 1, none, right.get(n, none), children[n][0] if children[n] else none)
        directory += bytes(36) + struct.pack("<IQ", starts[n], len(data))
    at = add(directory)
    count = 1
    while (len(table) + count) > count * 128:
        count += 1
    first = len(table)
    table += [0xFFFFFFFD] * count
    table += [none] * (count * 128 - len(table))
    body += struct.pack(f"<{len(table)}I", *table)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, count, at, 0, 0, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<109I", *range(first, first + count), *[none] * (109 - count))
    return head + body


def msg(path, w, attached):
    wide = lambda text: text.encode("utf-16le")
    body = "\r\n".join(w.text(10) for _ in range(30))
    def properties(head, ids):
        return bytes(head) + b"".join(struct.pack("<HHIII", kind, tag, 6, size, 0) for tag, kind, size in ids)
    streams = {
        "__substg1.0_001A001F": wide("IPM.Note"), "__substg1.0_0037001F": wide(w.text(4)), "__substg1.0_1000001F": wide(body),
        "__attach_version1.0_#00000000/__substg1.0_3707001F": wide(attached.name),
        "__attach_version1.0_#00000000/__substg1.0_37010102": attached.read_bytes(),
    }
    size = lambda name: len(streams[name]) + 2
    streams["__attach_version1.0_#00000000/__properties_version1.0"] = properties(8, [
        (0x3707, 0x1F, size("__attach_version1.0_#00000000/__substg1.0_3707001F")), (0x3701, 0x102, attached.stat().st_size), (0x3705, 3, 1)])
    streams["__properties_version1.0"] = properties(32, [(int(n[12:16], 16), 0x1F, size(n)) for n in list(streams) if n.startswith("__substg")])
    path.write_bytes(compound(streams))


def samples(folder, seed):
    """One file of each format."""
    made = documents.make(folder / "made", seed)
    def first(ending, by):
        return next(m.path for m in made if m.format == ending and m.by.startswith(by))
    files = {
        "docx": first("docx", "python"), "xlsx": first("xlsx", "openpyxl"), "pptx": first("pptx", "python"),
        "odt": first("odt", "odfpy"), "ods": first("ods", "odfpy"), "odp": first("odp", "odfpy"),
        "doc": first("doc", "Libre"), "xls": first("xls", "xlwt"), "ppt": first("ppt", "Libre"), "rtf": first("rtf", "Libre"),
        "pdf": first("pdf", "Libre"), "html": first("html", "by hand"), "csv": first("csv", "by hand"),
    }
    w = documents.Words(seed + 77)
    files["eml"] = folder / "mail.eml"
    documents.eml_of_email(files["eml"], w, [files["csv"], files["odt"]])
    files["msg"] = folder / "mail.msg"
    msg(files["msg"], w, files["csv"])
    inside = [files["csv"], files["docx"], files["html"]]
    files["zip"] = folder / "pack.zip"
    with zipfile.ZipFile(files["zip"], "w", zipfile.ZIP_DEFLATED) as z:
        for n, f in enumerate(inside):
            z.write(f, f.name, zipfile.ZIP_STORED if n == 0 else None)
    files["tar"] = folder / "pack.tar"
    with tarfile.open(files["tar"], "w") as t:
        for f in inside:
            t.add(f, f.name)
    files["gz"] = folder / "list.csv.gz"
    files["gz"].write_bytes(gzip.compress(files["csv"].read_bytes()))
    files["bz2"] = folder / "list.csv.bz2"
    files["bz2"].write_bytes(bz2.compress(files["csv"].read_bytes()))
    seven = shutil.which("7z") or shutil.which("7zz")
    if seven:
        files["7z"] = folder / "pack.7z"
        subprocess.run([seven, "a", str(files["7z"]), *map(str, inside)], capture_output=True, check=True)
    return files


def damaged(octets, random):
    """The octets damaged in one way, and a word for it."""
    b, size = bytearray(octets), len(octets)
    at = random.randrange(size)
    # Structure stands at the beginning and at the end of a file more often than elsewhere.
    if random.random() < 0.3:
        at = random.randrange(min(size, 1024))
    elif random.random() < 0.2:
        at = size - 1 - random.randrange(min(size, 1024))
    match random.randrange(7):
        case 0:
            return bytes(b[: max(at, 1)]), f"cut at {at}"
        case 1:
            count = random.choice((1, 1, 2, 8, 64))
            places = sorted(random.randrange(size) for _ in range(count))
            for p in places:
                b[p] = random.randrange(256)
            return bytes(b), f"{count} octets changed from {places[0]}"
        case 2:
            run = random.choice((1, 4, 64, 512, 4096))
            b[at : at + run] = bytes(len(b[at : at + run]))
            return bytes(b), f"{run} octets zeroed at {at}"
        case 3:
            width, value = random.choice((2, 4)), random.choice((b"\xff", b"\0", b"\x7f", b"\x01"))
            b[at : at + width] = (value * width)[: len(b[at : at + width])]
            return bytes(b), f"{width} octets of {value.hex()} at {at}"
        case 4:
            run = random.choice((1, 16, 512))
            del b[at : at + run]
            return bytes(b), f"{run} octets taken out at {at}"
        case 5:
            run = random.choice((1, 16, 512))
            b[at:at] = b[at : at + run]
            return bytes(b), f"{run} octets doubled at {at}"
        case _:
            b[at] ^= 1 << random.randrange(8)
            return bytes(b), f"a bit turned at {at}"


PACKED = ("docx", "xlsx", "pptx", "odt", "ods", "odp", "zip", "7z", "gz", "bz2")


def escaped(word):
    """As Rich Text Format writes it."""
    return "".join(c if c.isascii() else f"\\u{ord(c)}" for c in word)


def of_mail(path):
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    out = [str(message.get("subject", ""))]
    for part in message.walk():
        if part.get_content_maintype() == "text":
            try:
                out.append(part.get_payload(decode=True).decode("utf-8", "replace"))
            except Exception:
                pass
    return "\n".join(out)


def still_there(format, path, octets, lost):
    """Which of the lost words somebody could still read."""
    if format in PACKED:
        return set(lost)
    as_it_stands = lambda path: path.read_text(encoding="utf-8", errors="replace")
    lenient = {"html": of_html, "pdf": of_pdf, "eml": of_mail, "csv": as_it_stands}.get(format)
    if lenient:
        return set(lost) & set(words(lenient(path)))
    forms = [lambda w: w.encode(), lambda w: w.encode("utf-16le"), lambda w: w.encode("cp1250", "ignore")]
    if format == "rtf":
        forms = [lambda w: escaped(w).encode()]
        # Between the code point and the next letter stands what older programs show.
        octets = re.sub(rb"(\\u-?\d+)\\'[0-9a-f]{2}", rb"\1", octets)
        octets = re.sub(rb"(\\u-?\d+) ?\?", rb"\1", octets)
    return {w for w in lost if any(f(w) in octets for f in forms)}


def run(program, path):
    started = time.monotonic()
    out = tempfile.TemporaryFile()
    child = subprocess.Popen([program, "extract", "--json", str(path)], stdout=out, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    taken = time.monotonic() - started
    out.seek(0)
    text = out.read()
    return child.returncode, json.loads(text) if text else {"documents": [], "unread": []}, taken, used.ru_maxrss / 1024


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("schoolgate")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--count", type=int, default=150)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--keep", type=pathlib.Path)
    args = arguments.parse_args()
    print(f"seed {args.seed}\n\n| format | damaged files | lost silently | words | told | slowest | peak |\n|---|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        folder = pathlib.Path(folder)
        for format, sound in samples(folder, args.seed).items():
            if args.only and format not in args.only.split(","):
                continue
            octets = sound.read_bytes()
            # The name of a file is read too: all have the same.
            sound = pathlib.Path(shutil.copy(sound, folder / f"{format}.{sound.suffix[1:]}"))
            _, found, _, _ = run(args.schoolgate, sound)
            whole = set(words(text_of(found)))

            def one(number):
                # Each by its own number, so that one can be made again without the others.
                changed, how = damaged(octets, random.Random(f"{args.seed} {format} {number}"))
                path = folder / str(number) / sound.name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(changed)
                code, found, taken, memory = run(args.schoolgate, path)
                # A word that a damaged letter has joined to the next one was not lost.
                text = unicodedata.normalize("NFKC", text_of(found)) if code == 0 else ""
                lost = {word for word in whole if word not in text} if code == 0 else set()
                lost = still_there(format, path, changed, lost) if lost else lost
                if lost and args.keep:
                    args.keep.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, args.keep / f"{number}-{path.name}")
                if lost or code not in (0, 20) or taken > 10 or memory > 512:
                    print(f"{number}-{path.name}: {how}: status {code}, {taken:.1f} s, {memory:.0f} MiB, lost {len(lost)}: "
                          + " ".join(sorted(lost))[:120], file=sys.stderr)
                path.unlink()
                return len(lost), code, taken, memory

            done = list(pool.map(one, range(args.count)))
            silent = [d[0] for d in done if d[0]]
            print(f"| {format} | {args.count} | {len(silent)} | {sum(silent)} of {len(whole):,} each | {sum(d[1] == 20 for d in done)} "
                  f"| {max(d[2] for d in done):.2f} s | {max(d[3] for d in done):.0f} MiB |", flush=True)


if __name__ == "__main__":
    main()
