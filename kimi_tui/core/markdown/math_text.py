r"""TeX formulas as readable Unicode, where that can be done without changing what they say.

`\frac{a+b}{2} \le x_{i+1}^2` becomes `(a+b)/2 ≤ xᵢ₊₁²`. Whatever is not known here (matrices, cases, arrows with text)
makes the whole formula stay as it was typed: half of a translation would be read as another formula. A library that
translates anything (pylatexenc) drops grouping, `x_{i+1}` becoming `x_i+1`, and was not taken for that.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

MAX_DEPTH = 20
"""Groups inside groups; a formula deeper than that stays as it was typed."""
_SYMBOLS = """
alpha α  beta β  gamma γ  delta δ  epsilon ϵ  varepsilon ε  zeta ζ  eta η  theta θ  vartheta ϑ  iota ι  kappa κ
lambda λ  mu μ  nu ν  xi ξ  pi π  varpi ϖ  rho ρ  varrho ϱ  sigma σ  varsigma ς  tau τ  upsilon υ  phi ϕ
varphi φ  chi χ  psi ψ  omega ω  Gamma Γ  Delta Δ  Theta Θ  Lambda Λ  Xi Ξ  Pi Π  Sigma Σ  Upsilon Υ  Phi Φ
Psi Ψ  Omega Ω  infty ∞  partial ∂  nabla ∇  sum ∑  prod ∏  coprod ∐  int ∫  iint ∬  iiint ∭  oint ∮  forall ∀
exists ∃  nexists ∄  neg ¬  lnot ¬  emptyset ∅  varnothing ∅  aleph ℵ  hbar ℏ  ell ℓ  Re ℜ  Im ℑ  wp ℘  angle ∠
triangle △  square □  Box □  blacksquare ■  qed ∎  ldots …  dots …  dotsc …  cdots ⋯  dotsb ⋯  vdots ⋮  ddots ⋱
prime ′  degree °  top ⊤  bot ⊥  dagger †  ddagger ‡  star ⋆  bullet •  langle ⟨  rangle ⟩  lfloor ⌊  rfloor ⌋
lceil ⌈  rceil ⌉  lbrace {  rbrace }  vert |  lvert |  rvert |  Vert ‖  lVert ‖  rVert ‖  backslash \\
checkmark ✓  therefore ∴  because ∵  flat ♭  sharp ♯  bigcup ⋃  bigcap ⋂  bigoplus ⨁  bigotimes ⨂  bigvee ⋁
bigwedge ⋀  imath ı  jmath ȷ
"""
_OPERATORS = """
le ≤  leq ≤  leqslant ≤  ge ≥  geq ≥  geqslant ≥  ne ≠  neq ≠  lt <  gt >  ll ≪  gg ≫  equiv ≡  approx ≈  sim ∼
simeq ≃  cong ≅  propto ∝  asymp ≍  doteq ≐  prec ≺  succ ≻  preceq ⪯  succeq ⪰  in ∈  notin ∉  ni ∋  subset ⊂
supset ⊃  subseteq ⊆  supseteq ⊇  subsetneq ⊊  setminus ∖  cup ∪  cap ∩  sqcup ⊔  sqcap ⊓  wedge ∧  land ∧
vee ∨  lor ∨  oplus ⊕  ominus ⊖  otimes ⊗  odot ⊙  times ×  div ÷  pm ±  mp ∓  cdot ·  circ ∘  ast ∗  to →
rightarrow →  leftarrow ←  gets ←  leftrightarrow ↔  Rightarrow ⇒  Leftarrow ⇐  Leftrightarrow ⇔  implies ⟹
impliedby ⟸  iff ⟺  longrightarrow ⟶  longleftarrow ⟵  mapsto ↦  longmapsto ⟼  uparrow ↑  downarrow ↓
hookrightarrow ↪  leadsto ⇝  rightharpoonup ⇀  rightleftharpoons ⇌  vdash ⊢  dashv ⊣  models ⊨  vDash ⊨  perp ⊥
parallel ∥  nparallel ∦  mid ∣  nmid ∤  bmod mod  coloneqq ≔  triangleq ≜  bowtie ⋈  wr ≀
"""
_FUNCTIONS = """
arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf limsup ln log max
min Pr sec sin sinh sup tan tanh argmax argmin
"""


def _pairs(table: str) -> dict[str, str]:
    words = table.split()
    return dict(zip(words[::2], words[1::2], strict=True))


SYMBOLS = _pairs(_SYMBOLS)
OPERATORS = _pairs(_OPERATORS)
"""Commands that stand for one character with a blank on either side."""
FUNCTIONS = frozenset(_FUNCTIONS.split())
"""Commands that are their own name, upright."""
SPACES = {
    ",": " ", ";": " ", ":": " ", " ": " ", "!": "", "quad": "  ", "qquad": "    ", "enspace": " ", "thinspace": " ",
}  # fmt: skip
LITERALS = {"{": "{", "}": "}", "$": "$", "%": "%", "#": "#", "&": "&", "_": "_", "|": "‖"}
NOTHING = frozenset({
    "displaystyle", "textstyle", "scriptstyle", "limits", "nolimits", "nonumber", "notag", "left", "right", "middle",
    "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr",
})  # fmt: skip
"""Commands that only say how large or where something is drawn."""
FONTS = frozenset(
    {"mathrm", "mathbf", "mathit", "mathsf", "mathtt", "boldsymbol", "bm", "operatorname", "operatorname*"}
)
"""Commands that change the look of their argument alone."""
TEXTS = frozenset({"text", "textbf", "textit", "textrm", "texttt", "mbox"})
"""Commands whose argument is text, not a formula."""
ACCENTS = {
    "hat": "\u0302", "widehat": "\u0302", "bar": "\u0304", "overline": "\u0304", "vec": "\u20d7", "dot": "\u0307",
    "ddot": "\u0308", "tilde": "\u0303", "widetilde": "\u0303",
}  # fmt: skip
FRACTIONS = frozenset({r"\frac", r"\dfrac", r"\tfrac"})
ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}
ROWS = frozenset({"align", "align*", "aligned", "split", "gather", "gather*", "gathered", "equation", "equation*"})
"""Environments that are lines of formulas."""
_DOUBLE_STRUCK = {"C": "ℂ", "H": "ℍ", "N": "ℕ", "P": "ℙ", "Q": "ℚ", "R": "ℝ", "Z": "ℤ", "1": "𝟙"}
_SCRIPT = {"B": "ℬ", "E": "ℰ", "F": "ℱ", "H": "ℋ", "I": "ℐ", "L": "ℒ", "M": "ℳ", "R": "ℛ"}
_SUPER = str.maketrans(
    "0123456789+-−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVW′βγδθ",
    "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂ′ᵝᵞᵟᶿ",
)
_SUB = str.maketrans("0123456789+-−=()aehijklmnoprstuvxβγρχ", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵪ")
_PLACES = {"^": _SUPER, "_": _SUB}
_TOKEN = re.compile(r"\\(?:[A-Za-z]+(?:\*(?=\{))?|.)|[{}^_&]|\s+|[^\\{}^_&\s]", re.DOTALL)
_LOOSE = re.compile(r"[+\-−=/<>≤≥±∓,→∈:;|∑∏∫]")
_BRACKETS = re.compile(r"\([^()]*\)")
_DENOMINATOR = re.compile(r"\d+(?:\.\d+)?|[d∂Δ]? ?[^\W\d_][⁰-₟ᵃ-ᵪ¹²³\u0300-\u036f′]*(?:\([^()]*\))?")
_RAISED = frozenset("^_⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ")
_BEFORE = re.compile(r"[\w)\]∞]")
_BEHIND = re.compile(r"[\w(\[∞√∛∜∑∏∫∮]")


def _apart(before: str, fraction: str, behind: str) -> str:
    """A fraction, in brackets where its neighbours would be read as part of it."""
    if fraction and (_BEFORE.match(before[-1:]) or _BEHIND.match(behind) or behind[:1] in _RAISED):
        blanks = fraction[len(fraction.rstrip()) :]
        return f"({fraction.rstrip()}){blanks}"
    return fraction


class _UnsafeError(Exception):
    """There is something whose meaning would be lost."""


def script(text: str, place: str) -> str | None:
    """Text as superscript ("^") or subscript ("_") characters; None = Unicode lacks one of them."""
    table = _PLACES[place]
    return text.translate(table) if text and all(ord(char) in table for char in text) else None


@lru_cache(maxsize=512)
def readable(formula: str) -> str | None:
    r"""A formula in Unicode, with "\n" between its lines; None = it must stay as it was typed."""
    try:
        return _Reader(formula).lines()
    except _UnsafeError:
        return None


class _Reader:
    def __init__(self, formula: str) -> None:
        self._tokens: list[str] = _TOKEN.findall(formula)
        self._at = 0
        self._depth = 0

    def lines(self) -> str:
        text = self._sequence("")
        text = re.sub(r"∂ (?=\w)", "∂", text)
        lines = [re.sub(r" {2,3}(?! )", " ", line).strip() for line in text.split("\n")]
        if self._at < len(self._tokens) or not any(lines):
            raise _UnsafeError
        return "\n".join(line for line in lines if line)

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise _UnsafeError
        self._at += 1
        return self._tokens[self._at - 1]

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _sequence(self, closer: str, *, has_rows: bool = False) -> str:
        """Everything up to a closing token, which is taken, or the end for ""."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _UnsafeError
        text = fraction = ""  # a fraction waits for what stands behind it
        while self._at < len(self._tokens) or closer:
            token = self._next()
            if token == closer:
                break
            piece = "" if token == "&" and has_rows else self._piece(token)
            if fraction and piece.strip():
                text, fraction = text + _apart(text, fraction, piece), ""
            if token in FRACTIONS:
                text, fraction = text + fraction, piece
            elif fraction:
                fraction += piece
            else:
                text += piece
        self._depth -= 1
        return text + _apart(text, fraction, self._peek() if self._peek() in _PLACES else "")

    def _piece(self, token: str) -> str:
        if token in _PLACES:
            return self._script(token)
        if token == "{":
            group = self._sequence("}")
            return f"({group})" if "/" in group else group
        if token in {"}", "&"} or token == "%":
            raise _UnsafeError
        if token[0] == "\\":
            return self._command(token[1:])
        return {"'": "′", "~": " "}.get(token, " " if token.isspace() else token)

    def _argument(self) -> str:
        token = self._next()
        while token.isspace():
            token = self._next()
        return (self._sequence("}") if token == "{" else self._piece(token)).strip()

    def _raw(self) -> str:
        """An argument that is no formula."""
        if self._next() != "{":
            raise _UnsafeError
        text = ""
        while (token := self._next()) != "}":
            if token in {"{", "^", "_"} or (token[0] == "\\" and token[1:] not in SPACES):
                raise _UnsafeError
            text += " " if token[0] == "\\" else token
        return text

    def _script(self, place: str) -> str:
        text = self._argument()
        if text in {"∗", "*", "′", "†", "°", "∘"} and place == "^":
            return {"∗": "*", "∘": "°"}.get(text, text)
        tight = text.replace(" ", "")
        raised = script(tight, place)
        if raised is not None:
            return raised
        return f"{place}{tight}" if len(tight) == 1 else f"{place}({text})"

    def _command(self, name: str) -> str:
        if name in SYMBOLS:
            return SYMBOLS[name]
        if name in OPERATORS:
            return f" {OPERATORS[name]} "
        if name in FUNCTIONS:
            return f"{name} " if self._peek()[:1].isalnum() or self._peek()[:1] == "\\" else name
        if name in NOTHING:
            if self._peek() == "." and name in {"left", "right"}:
                self._at += 1
            return ""
        simple = SPACES.get(name, LITERALS.get(name))
        if simple is not None:
            return simple
        return self._with_argument(name)

    def _with_argument(self, name: str) -> str:
        if name in FONTS:
            return self._argument()
        if name in TEXTS:
            return self._raw()
        if name in ACCENTS:
            return self._accent(ACCENTS[name])
        handler: Callable[[], str] | None = {
            "frac": self._fraction, "dfrac": self._fraction, "tfrac": self._fraction, "sqrt": self._root,
            "binom": lambda: f"C({self._argument()}, {self._argument()})",
            "mathbb": lambda: self._letters(0x1D538, _DOUBLE_STRUCK),
            "mathcal": lambda: self._letters(0x1D49C, _SCRIPT), "begin": self._environment,
            "pmod": lambda: f" (mod {self._argument()})", "tag": lambda: f"    ({self._raw()})",
            "boxed": lambda: f"[ {self._argument()} ]", "not": self._negated, "\\": self._row,
        }.get(name)  # fmt: skip
        if handler is None:
            raise _UnsafeError
        return handler()

    def _accent(self, mark: str) -> str:
        text = self._argument()
        if len(text) != 1:
            raise _UnsafeError
        return text + mark

    def _fraction(self) -> str:
        above, below = self._argument(), self._argument()
        if not above or not below or "\n" in above + below:
            raise _UnsafeError
        above = f"({above})" if _LOOSE.search(_BRACKETS.sub("", above)) else above
        below = below if _DENOMINATOR.fullmatch(below) else f"({below})"
        return f"{above}/{below}"

    def _root(self) -> str:
        index = ""
        if self._peek() == "[":
            self._next()
            while (token := self._next()) != "]":
                index += token
        if index not in ROOTS:
            raise _UnsafeError
        inside = self._argument()
        return ROOTS[index] + (inside if re.fullmatch(r"\d+|\w", inside) else f"({inside})")

    def _letters(self, first: int, others: dict[str, str]) -> str:
        """Capitals in another type, which begins at a code point but for some others."""
        text = self._argument()
        if not all(letter in others or "A" <= letter <= "Z" for letter in text):
            raise _UnsafeError
        return "".join(others.get(letter) or chr(first + ord(letter) - ord("A")) for letter in text)

    def _negated(self) -> str:
        negated = {"=": "≠", "∈": "∉", "⊂": "⊄", "⊆": "⊈", "≡": "≢", "∣": "∤"}.get(self._argument())
        if negated is None:
            raise _UnsafeError
        return f" {negated} "

    def _row(self) -> str:
        if self._depth > 1:
            raise _UnsafeError
        return "\n"

    def _environment(self) -> str:
        name = self._raw()
        if name not in ROWS or self._depth > 1:
            raise _UnsafeError
        self._depth -= 1
        text = self._sequence(r"\end", has_rows=True)
        self._depth += 1
        if self._raw() != name:
            raise _UnsafeError
        return text
