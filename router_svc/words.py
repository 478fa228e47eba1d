"""Words that tell what a prompt asks for, in many languages. Data, and how to match it.

An entry ending in `*` is a stem: any ending counts. Others are whole words. Entries in scripts
that write no spaces, or join particles to words, count wherever they stand.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Final

REASONING: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "why", "prove", "proof", "derive*", "explain*", "analy[sz]e*", "compare*", "contrast", "evaluate",
        "justify", "step by step", "step-by-step", "trade-off*", "tradeoff*", "deduce", "infer",
        "optimi[sz]e*", "root cause", "implications", "critique", "reason through", "counterexample*",
        "diagnose*", "design an", "design a", "strategy", "pros and cons",
    ),
    "de": (
        "warum", "weshalb", "wieso", "beweis*", "herleit*", "leite", "erklär*", "erläuter*", "analysier*",
        "vergleich*", "begründ*", "bewerte*", "schritt für schritt", "abwäg*", "optimier*", "schlussfolger*",
        "widerleg*", "ursache*", "vor- und nachteile", "untersuch*",
    ),
    "fr": (
        "pourquoi", "prouve*", "démontre*", "démonstration", "déduire", "déduis*", "expliqu*", "analyse*",
        "compare*", "justifi*", "évalue*", "étape par étape", "optimise*", "raisonne*", "réfute*",
        "avantages et inconvénients",
    ),
    "es": (
        "por qué", "demuestr*", "demostrar", "demostración", "deduc*", "deduzca*", "explic*", "explique*",
        "analiz*", "analic*", "compar*", "justific*", "justifique*", "evalú*", "evaluar", "paso a paso", "optimiz*",
        "razon*", "refut*", "ventajas y desventajas",
    ),
    "pt": ("por que", "por quê", "prove que", "demonstr*", "explique*", "analise*", "justifique*", "passo a passo"),
    "it": ("perché", "dimostr*", "spiega*", "analizza*", "confronta*", "giustifica*", "passo dopo passo"),
    "ru": (
        "почему", "зачем", "докаж*", "доказ*", "выведи*", "объясни*", "проанализируй*", "анализ*", "сравни*",
        "обоснуй*", "обоснов*", "оцени*", "шаг за шагом", "пошагово", "оптимизир*", "опроверг*",
        "плюсы и минусы", "рассужд*",
    ),
    "zh": (
        "为什么", "為什麼", "为何", "证明", "證明", "推导", "推導", "解释", "解釋", "分析", "比较", "比較", "论证", "論證",
        "评估", "評估", "一步一步", "逐步", "优化", "優化", "推理", "权衡", "權衡", "优缺点", "優缺點", "反驳", "原因",
    ),
    "ja": (
        "なぜ", "何故", "どうして", "証明", "導出", "導け", "説明", "分析", "比較", "根拠", "評価", "段階的", "順を追って",
        "ステップ", "最適化", "推論", "考察", "反例", "長所と短所", "理由",
    ),
    "ko": ("왜", "증명", "유도", "설명", "분석", "비교", "근거", "평가", "단계별", "최적화", "추론", "장단점"),
    "ar": (
        "لماذا", "أثبت", "برهن", "برهان", "استنتج", "اشتق", "اشرح", "فسر", "وضح", "حلل", "تحليل", "قارن", "مقارنة",
        "علل", "برر", "قيم", "خطوة بخطوة", "خطوة خطوة", "استدلال", "مزايا وعيوب", "ناقش",
    ),
    "hi": ("क्यों", "सिद्ध", "समझा", "विश्लेषण", "तुलना", "कारण", "चरण दर चरण"),
}  # fmt: skip

CONSTRAINTS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "must", "must not", "exactly", "at least", "at most", "no more than", "no fewer than", "no less than",
        "without", "only", "do not", "don't", "never", "always", "each", "every", "between", "ensure*",
        "required", "require", "format", "in the style of", "limit*", "words or fewer", "constraint*", "unless",
    ),
    "de": (
        "muss", "müssen", "darf", "dürfen", "soll", "genau", "mindestens", "höchstens", "maximal", "ohne", "nur",
        "nicht mehr als", "niemals", "immer", "jede*", "zwischen", "achte darauf", "ausschließlich",
        "keinesfalls", "format", "stelle sicher",
    ),
    "fr": (
        "doit", "doivent", "exactement", "au moins", "au plus", "au maximum", "sans", "seulement", "uniquement",
        "pas plus de", "jamais", "toujours", "chaque", "entre", "format", "assure-toi", "assurez-vous",
    ),
    "es": (
        "debe", "deben", "debes", "exactamente", "al menos", "por lo menos", "como máximo", "a lo sumo", "sin",
        "solo", "sólo", "solamente", "únicamente", "no más de", "nunca", "siempre", "cada", "entre", "formato",
        "asegúrate",
    ),
    "pt": ("deve", "exatamente", "pelo menos", "no máximo", "sem", "apenas", "nunca", "cada"),
    "it": ("deve", "esattamente", "almeno", "al massimo", "senza", "soltanto", "mai", "ogni"),
    "ru": (
        "долж*", "обязан*", "ровно", "не менее", "не более", "как минимум", "максимум", "без", "только",
        "никогда", "всегда", "кажд*", "между", "нельзя", "формат*", "убедись",
    ),
    "zh": (
        "必须", "必須", "恰好", "正好", "至少", "最多", "不超过", "不超過", "不得", "不要", "不能", "只能", "只用", "仅",
        "僅", "每个", "每個", "之间", "之間", "格式", "确保", "確保", "以内", "以內",
    ),
    "ja": (
        "必ず", "なければならない", "ちょうど", "少なくとも", "最大", "以内", "以下", "以上", "だけ", "のみ", "せずに",
        "ないでください", "ごとに", "それぞれ", "形式", "文字以内", "禁止", "条件",
    ),
    "ko": ("반드시", "정확히", "적어도", "최대", "이내", "이하", "이상", "만 사용", "하지 마", "각각", "형식"),
    "ar": (
        "يجب", "بالضبط", "على الأقل", "على الأكثر", "كحد أقصى", "لا يزيد", "لا تتجاوز", "بدون", "دون", "فقط",
        "أبدا", "دائما", "لكل", "بين", "تأكد", "ممنوع", "بصيغة",
    ),
    "hi": ("चाहिए", "ठीक", "कम से कम", "अधिक से अधिक", "बिना", "केवल", "प्रत्येक"),
}  # fmt: skip

MATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "equation*", "integral*", "integrate", "derivative*", "theorem*", "lemma", "matrix", "matrices",
        "eigenvalue*", "probabilit*", "calculate", "compute", "solve", "polynomial*", "prime number*", "modulo",
        "vector space*", "square root*", "percent*", "sum of", "product of", "divisible", "triangle*", "geometry",
        "algebra*", "logarithm*", "converge*", "how many", "how much", "variance", "factorial", "infinitely many",
    ),
    "de": (
        "gleichung*", "integral*", "ableitung*", "theorem*", "lemma", "matrix", "matrizen", "eigenwert*",
        "wahrscheinlich*", "berechn*", "löse", "polynom*", "primzahl*", "wurzel*", "prozent*", "summe", "teilbar",
        "dreieck*", "logarithm*", "konvergier*", "wie viele", "wie viel", "satz von", "bruch", "vektor*",
    ),
    "fr": (
        "équation*", "intégrale*", "dérivée*", "théorème*", "matrice*", "probabilit*", "calcul*", "résou*",
        "polynôme*", "nombre premier", "nombres premiers", "racine*", "pourcent*", "somme", "divisible*",
        "triangle*", "logarithm*", "converge*", "combien", "vecteur*",
    ),
    "es": (
        "ecuaci*", "integral*", "derivada*", "teorema*", "matriz", "matrices", "probabilidad*", "calcul*",
        "resuelv*", "resolver", "polinomio*", "número primo", "números primos", "raíz", "raíces", "por ciento",
        "porcentaje*", "suma", "divisible*", "triángulo*", "logaritmo*", "converge*", "cuántos", "cuántas", "cuánto",
    ),
    "pt": ("equaç*", "integral", "derivada*", "teorema*", "calcul*", "resolva*", "quantos", "quantas", "raiz"),
    "it": ("equazion*", "integrale", "derivata", "teorema*", "calcola*", "risolvi*", "quanti", "quante", "radice"),
    "ru": (
        "уравнен*", "интеграл*", "производн*", "теорем*", "лемм*", "матриц*", "вероятност*", "вычисл*", "рассчита*",
        "посчита*", "реши", "решите", "многочлен*", "просты* числ*", "корень", "корн*", "процент*", "сумм*",
        "делится", "треугольник*", "логарифм*", "сходит*", "сколько", "вектор*",
    ),
    "zh": (
        "方程", "积分", "積分", "导数", "導數", "定理", "矩阵", "矩陣", "特征值", "概率", "機率", "计算", "計算", "求解",
        "多项式", "多項式", "质数", "質數", "素数", "平方根", "百分", "之和", "整除", "三角形", "几何", "对数", "對數", "收敛",
        "多少", "函数", "函數", "向量",
    ),
    "ja": (
        "方程式", "積分", "微分", "導関数", "定理", "行列", "固有値", "確率", "計算", "解け", "解い", "多項式", "素数",
        "平方根", "パーセント", "合計", "割り切れ", "三角形", "対数", "収束", "いくつ", "何個", "関数", "ベクトル",
    ),
    "ko": ("방정식", "적분", "미분", "정리", "행렬", "확률", "계산", "다항식", "소수", "제곱근", "퍼센트", "합계", "삼각형", "몇 개"),
    "ar": (
        "معادلة", "معادلات", "تكامل", "مشتقة", "نظرية", "مصفوفة", "احتمال", "احسب", "حل المعادلة", "كثيرة حدود",
        "عدد أولي", "أعداد أولية", "الجذر", "جذر", "نسبة مئوية", "مجموع", "يقبل القسمة", "مثلث", "لوغاريتم", "كم عدد",
        "دالة", "متجه",
    ),
    "hi": ("समीकरण", "समाकल", "अवकलज", "प्रमेय", "प्रायिकता", "गणना", "हल कर", "कितने", "प्रतिशत", "वर्गमूल"),
}  # fmt: skip

UNSPACED: Final = re.compile("[\u0590-\u08ff\u0900-\u0dff\u0e00-\u0eff\u1100-\u11ff\u2e80-\ud7ff]")
"""Scripts in which a word is not told by what stands beside it."""


def folded(text: str) -> str:
    """The text as words are compared: one width, one composition, no case."""
    return unicodedata.normalize("NFKC", text).casefold()


def matcher(vocabulary: Mapping[str, Iterable[str]]) -> re.Pattern[str]:
    """One pattern for all words of a vocabulary. It expects `folded` text."""
    entries = {folded(entry) for words in vocabulary.values() for entry in words}
    unspaced = {entry for entry in entries if UNSPACED.search(entry)}
    spaced = _any_of(entries - unspaced)
    return re.compile(rf"(?<!\w){spaced}(?!\w)|{_any_of(unspaced)}")


def _any_of(entries: Iterable[str]) -> str:
    """Alternatives grouped by their first letter, so that most of them are never tried."""
    ordered = sorted(entries, key=lambda entry: (entry[0], -len(entry), entry))
    groups = groupby(ordered, key=lambda entry: entry[0])
    return f"(?:{'|'.join(f'{first}(?:{_rests(group)})' for first, group in groups)})"


def _rests(entries: Iterable[str]) -> str:
    return "|".join(re.sub(r"\s+", r"\\s+", entry[1:].replace("*", r"\w*")) for entry in entries)
