"""Changes bytes at random: bits, numbers, fields that are inflated, splices, truncation."""

NUMBERS = (0, 1, 2, 5, 14, 15, 255, 1000, 10**6, 2**28, 2**31 - 1, 2**31, 2**32 - 1)


def mutate(data, rng):
    """`data` with up to six changes."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        kind, i = rng.randrange(6), rng.randrange(max(len(data), 1))
        if not data:
            return b""
        if kind == 0:
            data[i] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[i] = rng.randrange(256)
        elif kind == 2:
            i -= i % 4
            data[i : i + 4] = rng.choice(NUMBERS).to_bytes(4, rng.choice(("little", "big")))
        elif kind == 3:
            other, length = rng.randrange(len(data)), rng.randint(1, 16)
            data[i : i + length] = data[other : other + length]
        elif kind == 4 and rng.random() < 0.3:
            del data[i:]
        elif kind == 5 and rng.random() < 0.3:
            data[i:i] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 16)))
    return bytes(data)
