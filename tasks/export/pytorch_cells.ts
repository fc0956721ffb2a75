/** The part of a Python file that makes numbers of cells, as the library's `TableEncoder` does. */

import { NUMBER } from "../../lib/data/cells.ts";
import { dateForm, MONTHS, PERIODS } from "../../lib/data/dates.ts";
import { PLAIN_NUMBER, SURE_DIGITS } from "../../lib/data/names.ts";
import type { InputColumn } from "../../lib/data/table.ts";
import { dateExample, type ExportedModel, indent, literal } from "./exported_model.ts";

/** What JavaScript takes for spaces; Python has others. */
const SPACES = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a" +
  "\u2028\u2029\u202f\u205f\u3000\ufeff";

/** The columns as constants. */
export function columnsOf({ inputs, missingTexts, targets }: ExportedModel): string {
  return `COLUMNS = [\n${indent(inputs.map(columnOf), 4)}]
# Columns that a row may have besides.
TARGET_COLUMNS = ${literal(targets)}
MISSING = ${literal(["", ...missingTexts])}
`;
}

/** Code that has `encode(row)`: the numbers of a row, not scaled. */
export function encodingOf({ inputs }: ExportedModel): string {
  const kinds = [...new Set(inputs.map(({ kind }) => kind))];
  const encoders = kinds.map((kind) => `${literal(kind)}: encode_${kind}`);
  return [TEXT, ...kinds.map((kind) => ENCODERS[kind]), `ENCODERS = {${encoders.join(", ")}}\n`, ENCODE].join("\n\n");
}

function columnOf(column: InputColumn): string {
  const { kind, name } = column;
  const fill = column.fill === undefined ? "None" : literal(column.fill);
  let own = "";
  if (kind === "categorical") {
    own = `, "categories": ${literal(column.categories)}`;
  }
  if (kind === "date") {
    const { pattern, fields } = dateForm(column.format);
    own = `, "pattern": ${visible(toPython(pattern))}, "fields": ${literal(fields.join(""))}` +
      `, "example": ${literal(dateExample(column.format))}, "origin": ${column.origin}, "parts": ${
        literal(column.parts)
      }`;
  }
  return `{"kind": ${literal(kind)}, "name": ${literal(name)}${own}, "fill": ${fill}},`;
}

/** A regular expression that finds the same in Python, for which more characters are digits and spaces. */
function toPython(pattern: string): string {
  return pattern.replaceAll(/\\(.)/g, (escape, character) => {
    return character === "d" ? "[0-9]" : character === "D" ? "[^0-9]" : character === "s" ? `[${SPACES}]` : escape;
  });
}

/** A text whose characters can all be seen. */
function visible(text: string): string {
  return literal(text).replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const TEXT = `# Those of JavaScript, in which the network was trained.
SPACES = ${visible(SPACES)}


def number_text(value):
    """A number as JSON has it: 1.0 is 1."""
    value += 0.0
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    return re.sub("e([+-])0", r"e\\1", repr(value))


def text_of(cell):
    """A cell as a text without spaces around it; None if it is missing."""
    if hasattr(cell, "item"):
        cell = cell.item()  # a number of NumPy
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(cell, str):
        text = cell.strip(SPACES)
    elif isinstance(cell, bool):
        text = str(cell).lower()
    elif isinstance(cell, float):
        text = "" if math.isnan(cell) else number_text(cell)
    elif isinstance(cell, int):
        text = str(cell)
    elif isinstance(cell, datetime.date):
        text = cell.isoformat()
    else:
        raise ValueError(f"{cell!r} is no number and no text")
    return None if text in MISSING else text


def refusal(column, cell, need):
    return ValueError(f"column {column['name']!r} is {cell!r}, need {need}")
`;

const ENCODERS: Record<InputColumn["kind"], string> = {
  numeric: `NUMBER = re.compile(r"${toPython(NUMBER.source)}")


def encode_numeric(column, cell):
    text = text_of(cell)
    if text is None and column["fill"] is not None:
        return [float(column["fill"])]
    value = float(text) if text is not None and NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise refusal(column, cell, "a finite number")
    return [value]
`,
  categorical: `PLAIN_NUMBER = re.compile(r"${toPython(PLAIN_NUMBER.source)}")


def name_key(name):
    """The same text for all spellings of a name: 1 and 1.0, true and True, either end of a line."""
    if name.lower() in ("true", "false"):
        return name.lower()
    if not PLAIN_NUMBER.fullmatch(name):
        return name.replace("\\r\\n", "\\n")
    digits = re.sub("[^0-9]", "", re.sub("[eE].*$", "", name))
    value = float(name)
    return name if len(digits) > ${SURE_DIGITS} or not math.isfinite(value) else number_text(value)


def places_of(categories):
    by_key = {name_key(category): place for place, category in enumerate(categories)}
    return {**by_key, **{category: place for place, category in enumerate(categories)}}


PLACES = {column["name"]: places_of(column["categories"]) for column in COLUMNS if column["kind"] == "categorical"}


def encode_categorical(column, cell):
    """The number of a name; one that training did not see, or seldom, has the number after the last."""
    text = text_of(cell)
    if text is None:
        text = column["fill"]
    if text is None:
        raise refusal(column, cell, "a text")
    places = PLACES[column["name"]]
    return [float(places.get(text, places.get(name_key(text), len(column["categories"]))))]
`,
  date: `MONTHS = ${literal(MONTHS)}
ISO_DATE = r"${toPython(dateForm().pattern)}"
# Days of 400 years, after which the calendar comes again; and from the day 1 of Python to 1970-01-01.
CYCLE = 146097
EPOCH = 719163


def zone_seconds(zone):
    """Seconds that a zone such as +02:00 is ahead of UTC."""
    if zone in (None, "Z", "UTC"):
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[3:].replace(":", "") or 0)
    return (-60 if zone[0] == "-" else 60) * minutes


def days_of(text, pattern, fields):
    """Days since 1970-01-01 UTC; None if there is no such date."""
    found = re.fullmatch(pattern, text)
    if not found:
        return None
    part = {field: group for field, group in zip(fields, found.groups()) if group is not None}
    short = int(part.get("y", 0))
    year = int(part["Y"]) if "Y" in part else short + (2000 if short < 69 else 1900)
    month = int(part.get("m", 1))
    if "b" in part:
        name = part["b"][:3].lower()
        month = MONTHS.index(name) + 1 if name in MONTHS else 0
    hour = int(part.get("H", 0))
    if "I" in part:
        if not 1 <= int(part["I"]) <= 12:
            return None
        hour = int(part["I"]) % 12 + (12 if part.get("p", "").lower() == "p" else 0)
    minute = int(part.get("M", 0))
    second = float(part.get("S", 0))
    if hour > 23 or minute > 59 or second >= 60:
        return None
    cycle, rest = divmod(year - 1, 400)
    try:
        day = datetime.date(rest + 1, month, int(part.get("d", 1))).toordinal() + cycle * CYCLE - EPOCH
    except ValueError:
        return None
    return day + (hour * 3600 + minute * 60 + second - zone_seconds(part.get("z"))) / 86400


def part_of(days, part):
    """The year, or sine and cosine of a part that comes again."""
    day = math.floor(days)
    cycle, rest = divmod(day + EPOCH - 1, CYCLE)
    date = datetime.date.fromordinal(rest + 1)
    if part == "year":
        return [float(date.year + 400 * cycle)]
    values = {"month": date.month - 1, "weekday": (day + 3) % 7, "hour": (days - day) * 24}
    periods = ${literalOf(PERIODS)}
    angle = 2 * math.pi * values[part] / periods[part]
    return [math.sin(angle), math.cos(angle)]


def encode_date(column, cell):
    """Days since the origin, then parts of the date."""
    text = text_of(cell)
    if text is None:
        days = column["fill"]
    elif isinstance(cell, datetime.date):
        days = days_of(text, ISO_DATE, "${dateForm().fields.join("")}")
    else:
        days = days_of(text, column["pattern"], column["fields"])
    if days is None:
        raise refusal(column, cell, f"a date such as {column['example']}")
    return [float(days - column["origin"]), *(value for part in column["parts"] for value in part_of(days, part))]
`,
};

function literalOf(numbers: Readonly<Record<string, number>>): string {
  return `{${Object.entries(numbers).map(([name, value]) => `${literal(name)}: ${value}`).join(", ")}}`;
}

const ENCODE = `COLUMN_NAMES = [column["name"] for column in COLUMNS]
KNOWN_NAMES = {*COLUMN_NAMES, *TARGET_COLUMNS}


def encode(row):
    """The numbers of a row, encoded but not scaled."""
    unknown = [name for name in row.keys() if name not in KNOWN_NAMES]
    if unknown:
        raise ValueError(f"there is no column {unknown}; the columns are {COLUMN_NAMES}")
    return [value for column in COLUMNS for value in ENCODERS[column["kind"]](column, row.get(column["name"]))]
`;
