"""Texts that show what the conversation can display: Markdown of all kinds, code, tables, wide characters, math."""

from __future__ import annotations

MARKDOWN = """\
# A roast in three steps

A paragraph may hold **bold**, *emphasised*, ***both***, ~~struck out~~ and `inline code`, and a
[link](https://example.org/lamb) shows where it leads.

## What to do

1. Sear the lamb.
2. Let it rest:
   - ten minutes for chops,
   - twenty for a leg,
     - under foil,
     - on a warm plate.
3. Carve it across the grain.

### What to buy

- [x] lamb
- [x] salt
- [ ] rosemary

> Patience is an ingredient.
>
> > And so is garlic.

---

The line above is a rule. Say `table`, `code` or `math` for more.
"""

CODE = """\
Python first, a value and what can be asked of it:

```python
from dataclasses import dataclass


@dataclass(frozen=True)
class Chop:
    weight_g: int = 180

    def minutes(self) -> float:
        # four a side, longer for a heavy one
        return 8 + max(self.weight_g - 200, 0) / 50
```

The same idea in Rust:

```rust
fn main() {
    let chops = vec![180_u32, 220];
    println!("{} chops, {} g", chops.len(), chops.iter().sum::<u32>());
}
```

A shell line that asks without a screen, some data, and a change:

```bash
kimi-tui ask "Name two ways to cook lamb." | tee lamb.md
```

```json
{"dish": "lamb", "minutes": 12, "rare": true, "sides": ["barley", null]}
```

```diff
 pepper = 1
-salt = 1
+salt = 2
```

And a list with code inside:

- heat the oven:

  ```bash
  oven --heat 160
  ```
"""

TABLE = """\
Columns may stand left, centred or right:

| Cut | Technique | Temperature | Minutes | A word about it |
| :--- | :---: | ---: | ---: | --- |
| Chops | grill | 230 °C | 8 | quick; a hot pan does as well |
| Leg | roast | 160 °C | 110 | the classic: garlic, rosemary, **patience** |
| Shoulder | braise | 140 °C | 210 | falls apart when it is done |
| Neck | stew | 95 °C | 180 | cheap, and the best of all with `barley` |
"""

CJK = """\
Wide characters take two cells each, and lines still end where they should.

中文：今天我们来讨论如何在终端里流畅地显示一段很长的回答，包括代码、表格和列表，而且每一行都要对齐。

日本語：羊肉をゆっくり焼くと、とても柔らかくなります。

한국어: 양고기를 천천히 구우면 아주 부드러워집니다.

| 料理 | 説明 | 분 |
| --- | --- | ---: |
| 羊肉 🍖 | とても美味しい | 110 |
| 麺 🍜 | 簡単で早い | 8 |

Emoji: 👍 🔥 ✅ 👩‍💻 👨‍👩‍👧 🇫🇷. Combining marks: é ñ ü. Right to left: שלום, مرحبا.
"""

MATH = """\
Heat flows into a roast as $q = -k \\nabla T$, so the time grows with the square of the thickness $d$:

$$
t \\approx \\frac{d^2}{\\pi^2 \\alpha}
$$

Twice as thick means four times as long, since $(2d)^2 = 4 d^2$. For many pieces the times add up:

$$
\\sum_{i=1}^{n} t_i \\le n \\cdot \\max_i t_i
$$
"""

CONTROL = """\
What a model writes never controls your terminal. Here is an escape sequence that would paint the rest red, one that
would change the window's title, a bell, and one that turns text round:

- colour: \x1b[31mred?\x1b[0m
- title: \x1b]0;not your title\x07
- direction: \u202ebackwards?\u202c

Each stands there as a visible sign instead. Markup of other programs is plain text too: [bold]not bold[/bold].
"""

LAMB = """\
Two ways that never fail:

1. **Roast a leg slowly.** Rub it with garlic, rosemary and salt, and give it about two hours at 160 °C. Let it rest
   for twenty minutes before you carve.
2. **Grill chops fast.** Four minutes a side over high heat, then five minutes of rest.

| | Leg | Chops |
| --- | ---: | ---: |
| Time | 2 h 20 min | 13 min |
| Serves | 6 | 2 |

*(I am the offline simulator: this recipe is one of the few that I know.)*
"""

LONG_STEPS = 64
_LONG_PARTS = (
    "Step {number}: turn the meat, baste it, and wait. Nothing is gained by hurrying a roast.",
    "Step {number}: while I write this, scroll up with **PgUp** or the wheel. The view stays where you read.",
    "Step {number}: press **Ctrl+End** to follow the tail again, or **Ctrl+Home** to go to the very beginning.",
    "Step {number}: look into the larder.\n\n- garlic\n- rosemary\n- a little anchovy, which nobody will notice",
    "Step {number}: **Escape** stops me at any time; what has arrived is kept, and is part of the next prompt.",
    "Step {number}: write down what you did.\n\n```python\nnotes = {{'step': {number}, 'oven': 160}}\n```",
    "Step {number}: the status line shows tokens per second, the time to the first token, and an invented cost.",
    "Step {number}: taste.\n\n> A cook who does not taste is a cook who guesses.",
)


def long_text() -> str:
    parts = []
    for number in range(1, LONG_STEPS + 1):
        if number % len(_LONG_PARTS) == 1:
            parts.append(f"## Hour {number // len(_LONG_PARTS) + 1}")
        parts.append(_LONG_PARTS[(number - 1) % len(_LONG_PARTS)].format(number=number))
    return "\n\n".join(parts) + "\n"
