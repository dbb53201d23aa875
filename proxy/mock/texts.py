"""What the scenarios say."""

CHINESE = (
    "春分那天，河边的柳树刚刚发芽🌱。老渔夫𠮷田先生把小船推下水，说：“今天风小，正好去看𪚥字碑。”"
    "孩子们笑了😄：那个字由四条龙组成，共六十四画，谁也写不对！"
    "路上他们遇见一家三口👨‍👩‍👧，聊起《𡃁仔日记》，又分着吃了两个橘子🍊。"
    "傍晚，雨落在水面上，像许多细小的逗号；没有人急着给这一天画上句号。"
)

MARKDOWN = """\
# Reading a stream

A stream arrives in **pieces**, and a piece may end *anywhere*: in a word, in a `code span`, even in a fence.

1. Read the bytes.
2. Decode them, keeping what is cut for later.
3. Draw what you have.

| step | cost | note |
|------|-----:|------|
| read | 1 | one system call |
| draw | 9 | most of the time |

```python
async for event in stream:
    page.append(event["text"])  # not the whole page again
```

> A page that is drawn anew for every piece is slow.

See [the standard](https://html.spec.whatwg.org/multipage/server-sent-events.html) and the sum $1 + 1 = 2$.
"""

REASONING = (
    "The question looks simple, so I check it from two sides. First I look at what is asked, "
    "then at what is given. "
    "Both lead to the same answer, and nothing speaks against it."
)

PLAN = (
    "The question names no date, so today is meant. I know no weather of today by heart, and one "
    "place alone could mislead. I ask for two places at once, as neither depends on the other."
)

# Each with the title and the address of its source, at names that no one can own (RFC 6761, 6.5).
SOURCES = (
    ("The Rhine is about 1,230 km long.", "The Rhine", "https://rivers.example/rhine"),
    (
        " Its name may be of Celtic origin.",
        "Names of rivers",
        "https://words.example/rivers?of=europe",
    ),
    (" 莱茵河流入北海。", "莱茵河", "https://rivers.example/zh/莱茵河"),
)

# Drawn for this: a PNG of 96 by 64.
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAGAAAABABAMAAAAXGm89AAAAElBMVEXP6P//0WaPuZZaj2k9"
    "hcb///+wm0lMAAAA9ElEQVR42u3TyxGEIAwGYNYKlg7c2IGxA9J/TTsKLo8EJjk47sEcyf8R8OHcUzfVy3tvzZvEkffv"
    "60A8keFMD/iPF2f6liDVR5efIJdl+1izZXvNEJ4fCxArtmZ1Pl5Eug7AQPDDTTAqx54ZgALkIRMoAcCCe61yLPdcnZfF"
    "2cMC4K/Wfn4Xjq0xUfYwgWqtEXUPXbtGRLVADqo9tkYgB81MqgRywJYKsSAHfGk7RK8EEEUwgKEQQRRkAEkEPeiLHkiC"
    "9ABJFn3QEQOwiWIAzhGkBueIYAWVuAbQVYCMIA/Q3SHndaDIk/7z1r/pMh/Uv6iUxy+YT1tsKtGg+gAAAABJRU5ErkJg"
    "gg=="
)

REFUSAL = "I cannot help with that, but I am glad to help with something else."

LONG_SENTENCES = (
    "The river keeps its own time and answers to no clock.",
    "A lamp is lit at the far end of the bridge.",
    "Somebody counts the boats as they pass and writes the number down.",
    "The wind turns, and the smell of bread comes up from the lower town.",
    "Two children argue about whether the moon follows them home.",
    "Nobody has moved the ladder since the autumn.",
)
