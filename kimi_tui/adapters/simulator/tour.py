"""What the simulator says: a guided tour of the program, a topic for each thing worth seeing."""

from __future__ import annotations

WELCOME = """\
# Welcome to kimi-tui

You are talking with the **offline simulator**: no key, no network, no model. Everything else is the real program.

- My *thinking* came first. It is folded to one line above: click it, or press Tab and then Space, to read it.
- **Escape** stops a reply and keeps what arrived; **Enter** sends, **Ctrl+J** begins a new line.
- **F1** shows every key, **Ctrl+P** finds a command, `/` in the composer completes one.
- **Ctrl+T** switches between thinking and instant.
- **Ctrl+Q** leaves; the program then says how to go on here tomorrow.

Say a word and see what happens:

| say | and see |
| --- | --- |
| `markdown` | headings, lists, quotes, links |
| `code` | code in several languages |
| `table` | a wide table |
| `long` | a long reply to scroll in and to stop |
| `cjk` | wide characters and emoji |
| `math` | formulas |
| `length` | a reply that is cut off |
| `error`, `busy`, `funds` | what an error looks like |
| `stream error`, `cut` | an error in the middle of a reply |
"""

MARKDOWN = """\
# A heading

## A smaller one

Text may be **bold**, *emphasised*, ~~struck out~~ or `inline code`, and a [link](https://example.org/lamb) shows where
it leads.

1. Sear the lamb.
2. Let it rest:
   - ten minutes for chops,
   - twenty for a leg
     - under foil.
3. Carve.

- [x] salt
- [ ] rosemary

> Patience is an ingredient.
>
> > And so is garlic.

---

That was the rule above this line.
"""

CODE = """\
Python first:

```python
from dataclasses import dataclass

@dataclass(frozen=True)
class Chop:
    weight_g: int = 180

    def minutes(self) -> float:
        # four a side, more for a heavy one
        return 8 + max(self.weight_g - 200, 0) / 50
```

Rust:

```rust
fn main() {
    let chops = vec![180, 220];
    println!("{} chops, {} g", chops.len(), chops.iter().sum::<u32>());
}
```

A shell, some data, and a change:

```bash
kimi-tui ask "Name two ways to cook lamb." | tee lamb.md
```

```json
{"dish": "lamb", "minutes": 12, "rare": true}
```

```diff
- salt = 1
+ salt = 2
```
"""

TABLE = """\
| Cut | Technique | Temperature | Minutes | A word about it |
| :--- | :---: | ---: | ---: | --- |
| Chops | grill | 230 °C | 8 | quick; a hot pan does as well |
| Leg | roast | 160 °C | 110 | the classic: garlic, rosemary, patience |
| Shoulder | braise | 140 °C | 210 | falls apart when it is done |
| Neck | stew | 95 °C | 180 | cheap, and the best of all with barley |
"""

CJK = """\
中文：今天我们来讨论如何在终端里流畅地显示一段很长的回答，包括代码、表格和列表。

日本語：羊肉をゆっくり焼くと、とても柔らかくなります。한국어도 잘 보여야 합니다.

| 料理 | 説明 |
| --- | --- |
| 羊肉 🍖 | とても美味しい |
| 麺 🍜 | 簡単 |

Emoji: 👍 🔥 ✅ 👩‍💻 🇫🇷 and combining marks: é ñ ü.
"""

MATH = """\
The heat goes in as $q = -k \\nabla T$, so the time grows with the square of the thickness:

$$
t \\approx \\frac{d^2}{\\pi^2 \\alpha}
$$

Twice as thick means four times as long: $(2d)^2 = 4 d^2$.
"""

LONG_PARAGRAPH = (
    "Step {number}: turn the meat, baste it, and wait. Nothing is gained by hurrying a roast, and while this long "
    "reply is being written you can scroll up with PgUp or the wheel: the view stays where you read, and "
    "**Ctrl+End** follows the tail again. `Escape` stops me."
)


def long_text(paragraphs: int = 60) -> str:
    """A long reply with a heading every ten paragraphs."""
    parts = []
    for number in range(1, paragraphs + 1):
        if number % 10 == 1:
            parts.append(f"## Hour {number // 10 + 1}")
        parts.append(LONG_PARAGRAPH.format(number=number))
    return "\n\n".join(parts) + "\n"


TOPICS = (
    (("markdown",), MARKDOWN),
    (("code",), CODE),
    (("table",), TABLE),
    (("cjk", "emoji"), CJK),
    (("math",), MATH),
    (("tour", "help", "hello", "hi"), WELCOME),
)
"""Words that choose a text, the first that fits."""
