/** What the tasks say of tables that cannot be used, and of settings that do not go with them. */

import { assertStringIncludes } from "@std/assert";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

/** A table's text, the flags after `--data t.csv --target y`, and what is said. */
type Case = [name: string, text: string, flags: string, says: string[]];

const lines = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i) + "\n").join("");

const FAULTS: Case[] = [
  ["an empty file", "", "", ["t.csv: the file is empty: a header and rows are needed"]],
  ["a header alone", "x,y\n", "", ["t.csv: there are no rows after the header"]],
  ["line ends of another age", "x,y\r1,2\r3,4\r", "", [
    "t.csv:1: its lines end in CR alone: save it with lines that end in LF or CRLF",
  ]],
  ["rows without a header", "1,2\n3,4\n", "", ["t.csv:1: a header with the names of the columns is needed"]],
  ["a column twice", "x,x,y\n1,2,3\n", "", ['t.csv:1: the header names column "x" twice']],
  ["a ragged row", "x,y\n1,2\n3\n4,5\n", "", ["t.csv:3: this row has 1 cell, the header has 2"]],
  ["a quote never closed", 'x,y\n1,2\n3,"4\n', "", ["t.csv:3: a quote is out of place or never closed"]],
  ["a blank cell", "x,y\n1,2\n,3\n4,5\n", "", [
    "t.csv: cells are missing; fill them in, or say --missing mean, median, category or drop",
    "x: 1, in line 3",
  ]],
  ["NA, NaN and null", "x,c,y\n1,NA,2\nNaN,a,3\n4,b,5\nnull,a,1\n \t,b,1\nNA,a,9\n", "", [
    "x: 4, in lines 3, 5, 6, ...",
    "c: 1, in line 2",
  ]],
  ["text in a numeric column", "x,y\n1,2\n2,3\n3,4\nfour,5\n", "", [
    't.csv:5, column "x": "four" is not a number, and 3 cells of the column are: correct it, or say --categorical x or --ignore x',
  ]],
  ["a decimal comma", 'x,y\n1,2\n"2,5",3\n3,4\n', "", [
    't.csv:3, column "x": "2,5" is not a number, and 2 cells of the column are. It has a comma between digits: write it with a point',
  ]],
  ["decimal commas throughout", "x;y\n1,5;1\n2,5;2\n3,5;3\n", "", [
    't.csv:2, column "x": "1,5" is not a number. It has a comma between digits: write it with a point before decimals',
    "or say --categorical x or --ignore x",
  ]],
  ["thousands in the target", 'x,y\n1,"1,200"\n2,"1,300"\n3,"1,250"\n', "", [
    't.csv:2, column "y": "1,200" is not a number. It has a comma between digits: write it with a point before decimals',
    "or say --task classification",
  ]],
  ["a number that overflows", "x,y\n1,2\n1e999,3\n3,4\n", "", ['t.csv:3, column "x": "1e999" is beyond the range']],
  ["a value beyond float32", "x,y\n1,2\n1e300,3\n3,4\n", "--scaling-method none --split 1,0,0", [
    't.csv:3, column "x": scaled, this value is beyond the range of float32',
  ]],
  ["text in a numeric target", "x,y\n1,2\n2,3\n3,4\n4,cheap\n", "", [
    't.csv:5, column "y": "cheap" is not a number, and 3 cells of the column are: correct it, or say --task classification',
  ]],
  ["text targets under regression", "x,y\n1,a\n2,b\n", "--task regression", [
    't.csv:2, column "y": "a" is not a number: correct it, or say --task classification',
  ]],
  ["a missing target", "x,y\n1,2\n2,\n3,NA\n4,7\n", "--missing mean", [
    "t.csv: the target is missing in some rows; fill it in, or leave these rows out with --missing drop",
    "y: 2, in lines 3, 4",
  ]],
  ["a target without values", "x,y\n1,\n2,\n", "--missing drop", ["every cell of the target is missing"]],
  ["a constant target", "x,y\n1,7\n2,7\n", "", ['t.csv, column "y": the target has the one value 7']],
  ["a single class", "x,y\n1,a\n2,a\n", "", ['t.csv, column "y": the target has the one class a']],
  [
    "one class left for training",
    "x,y\n1,a\n2,a\n3,b\n4,a\n5,a\n",
    "--time-column x --features x --split 0.4,0.3,0.3",
    ["t.csv: the training rows have the one class a of y: there is nothing to learn"],
  ],
  [
    "a class that does not train",
    "x,y\n1,a\n2,b\n3,c\n4,a\n5,b\n",
    "--time-column x --features x --split 0.4,0.3,0.3",
    ['t.csv:4, column "y": the class "c" is in no training row; there are a, b'],
  ],
  ["too many classes", "x,y\n" + lines(1001, (i) => `${i},k${i}`), "", [
    "the target has more than 1000 different classes",
  ]],
  ["no input left", "id,c,y\n1,a,2\n2,a,3\n", "", [
    "t.csv: no column is left to predict from",
    "id      left out  whole numbers that only go up: an identifier",
    "c       left out  one value throughout",
  ]],
  ["rows that are all dropped", "x,z,y\n1,,2\n2,,3\n,1,9\n,2,8\n", "--missing drop", [
    "t.csv: no row is left for training: all have missing cells; fill them in, or say --missing mean or median",
  ]],
  ["rows that are nearly all of one time", `t,x,y\n${lines(9, (i) => `1,${i},${i}`)}2,9,9\n`, "--time-column t", [
    "no row is left for training: rows of the same time stay together, and most have the same t; choose another TIME_COLUMN",
  ]],
  ["a column that is constant in training", "t,x,y\n1,5,2\n2,5,3\n3,6,9\n", "--time-column t --split 0.67,0,0.33", [
    "t.csv: no column is left to predict from",
    "x       left out  5 in all 2 training rows",
  ]],
  ["a target that is constant in training", "t,x,y\n1,1,5\n2,2,5\n3,3,6\n", "--time-column t --split 0.67,0,0.33", [
    't.csv: target "y" is 5 in every training row: there is nothing to learn',
  ]],
  ["a target that is nearly constant", "x,y\n1,14.62\n2,14.620000000000001\n3,14.62\n", "--split 1,0,0", [
    't.csv: target "y" is 14.62 to 14.620000000000001 in the training rows, the same but for rounding: there is nothing',
  ]],
  ["bytes that are no text", "x,y\n1,\xff\n", "", ["t.csv:2: this is not UTF-8"]],
];

permitted("scale --data names file, line, column and text of what it cannot use", async (t) => {
  await using place = await Workplace.inSeries("scale");
  for (const [name, text, flags, says] of FAULTS) {
    await t.step(name, async () => {
      await place.write("t.csv", Uint8Array.from(text, (char) => char.charCodeAt(0)));
      const more = flags.split(" ").filter(Boolean);
      await place.refuse(1, says, "scale", ["--data", "t.csv", "--target", "y", ...more]);
    });
  }
});

permitted("scale names the file of validation or test rows that it cannot use", async (t) => {
  await using place = await Workplace.inSeries("scale", { "t.csv": "x,c,y\n1,a,2\n2,b,3\n3,a,5\n" });
  const cases: [text: string, says: string][] = [
    ["x,y\n1,2\n", 'v.csv:1: there is no column "c"; there are x, y'],
    ["", "v.csv: the file is empty"],
    [
      "x,c,y\n1,a,\n",
      'v.csv:2, column "y": the target is missing: fill it in, or take the row out, or say --missing drop',
    ],
    [
      "x,c,y\n1,a,2\n,a,2\n",
      'v.csv:3, column "x": the cell is empty, and the column has no fill value: fill it in, or train with --missing mean, median or category, or --missing drop',
    ],
    ["c,y,x\na,2,1\na,2,two\n", 'v.csv:3, column "x": "two" is not a number\n'],
    ["c,y,x\na,2,12 kg\n", 'v.csv:2, column "x": "12 kg" is not a number; write it as 12\n'],
    [
      "c,y,x\na,2,?\n",
      '"?" is not a number; if it means that a value is missing, leave the cell blank, or say --missing-texts "?,NA,NaN,nan,null',
    ],
  ];
  for (const [text, says] of cases) {
    await t.step(says, async () => {
      await place.write("v.csv", text);
      const flag = text === "" ? "--test" : "--validation";
      await place.refuse(1, [says], "scale", ["--data", "t.csv", "--target", "y", flag, "v.csv"]);
    });
  }
});

const TABLE = "area,rooms,color,price,sold\n1,2,red,3,a\n2,3,blue,4,b\n3,1,red,5,c\n4,4,red,1,a\n";

const WRONG: [flags: string, says: string[]][] = [
  ["", ["TARGET is not given: say which of the columns is predicted; there are area, rooms, color, price, sold"]],
  ["--target prise", ['--target names "prise", which is no column: did you mean "price"? there are area, rooms']],
  ["--target PRICE", ['"PRICE", which is no column: did you mean "price"?']],
  ["--target ol", ['"ol", which is no column: did you mean "sold"?']],
  ["--target price --features are,room", [
    '--features names "are", which is no column: did you mean "area"?',
    '--features names "room"',
  ]],
  ["--target price --ignore colour --categorical rums --time-column wen", [
    'did you mean "color"?',
    'did you mean "rooms"?',
    "--time-column",
  ]],
  ["--target price --features price", ['--target and --features both name "price"']],
  ["--target price --features area --ignore area", ['--features and --ignore both name "area"']],
  ["--target area,area", ['--target is "area,area": allowed is names of columns']],
  ["--target price --separator semicolon", [
    '--target names "price", which is no column',
    "is the separator a comma, not a semicolon?",
  ]],
  ["--target price --recipe xor --num-dataset 5", [
    "--recipe is a setting of recipes",
    "--num-dataset is a setting of recipes",
  ]],
  ["--target sold --loss bce", ['--loss is "bce": it takes two classes, and sold has 3; allowed is softmax']],
  ["--target price,area --loss softmax", ['--loss is "softmax": that takes one TARGET, and there are 2']],
  ["--target price,area --task classification", ['--task is "classification": that takes one TARGET']],
  ["--target sold --task regression --loss softmax", ['"softmax": with TASK regression allowed is mse']],
  ["--target sold --task classification --loss mse", ['"mse": with TASK classification allowed is softmax or bce']],
  ["--target price --time-column area --test t.csv", ["--time-column and TEST both say which rows train"]],
];

permitted("train --data refuses settings that do not go with the table or with each other", async (t) => {
  await using place = await Workplace.inSeries("train", { "t.csv": TABLE });
  for (const [flags, says] of WRONG) {
    await t.step(flags || "no target", async () => {
      await place.refuse(2, says, "train", ["--data", "t.csv", ...flags.split(" ").filter(Boolean)]);
    });
  }
});

permitted("train refuses settings of tables without one, but leaves the environment alone", async () => {
  await using place = await Workplace.inSeries("train");
  const says = ["--target needs DATA, the CSV file that it is about", "--missing needs DATA"];
  await place.refuse(2, says, "train", ["--target", "y", "--missing", "mean"]);
  const loss = ['--loss is "softmax": with a recipe allowed is mse, mae, huber or bce'];
  await place.refuse(2, loss, "train", ["--loss", "softmax"]);
  await place.refuse(2, ['--data is "": allowed is the path of a CSV file'], "train", ["--data="]);
  const none = ["Cannot read none.csv: there is no such file"];
  await place.refuse(1, none, "train", ["--data", "none.csv", "--target", "y"]);
  await place.succeed("train", ["--recipe", "xor", "--num-epochs", "2"], { TEST: "1", TASK: "build", TARGET: "all" });
});

permitted("train and predict take columns of any names", async () => {
  const rows = lines(40, (i) => `${i},"${i % 7}",${i % 2 ? "a" : "b"},${i % 3}`);
  await using place = await Workplace.inSeries("train", {
    "my table.csv": `size (m²),"price, net",kind=x,kind\n${rows}`,
  });
  const args = ["--data", "my table.csv", "--features", '"price, net",kind=x,kind', "--num-epochs", "1"];
  await place.succeed("train", [...args, "--target", "size (m²)"]);
  const { stdout } = await place.succeed("predict", ["kind=2", "kind=x=a=b", "price, net=3"]);
  assertStringIncludes(stdout, '"price, net",kind=x,kind,predicted_size (m²)\r\n3,a=b,2,');
  await place.refuse(2, ['it lacks "kind"'], "predict", ["kind=x=a", "price, net=3"]);
});

permitted("scale --data takes thousands of names, and refuses too many only where they are asked for", async () => {
  const table = (rows: number, names: number) => "x,name,y\n" + lines(rows, (i) => `${i % 7},k${i % names},${i % 90}`);
  await using place = await Workplace.inSeries("scale", { "t.csv": table(2100, 1050) });
  const args = ["--data", "t.csv", "--target", "y"];
  const names = "name    categorical  1,050 categories: k0, k1, k10, k100, k1000, k1001, ...";
  assertStringIncludes((await place.succeed("scale", args)).stdout, names);
  await place.write("t.csv", table(2100, 1051));
  const left = 'name    left out  1051 different texts in 2100 rows, such as "k0": more than half, an identifier';
  assertStringIncludes((await place.succeed("scale", args)).stdout, left);
  await place.write("t.csv", table(131_100, 65_537));
  const many = "name    left out  more than 65,536 different texts";
  assertStringIncludes((await place.succeed("scale", args)).stdout, many);
  for (const flag of ["--categorical", "--features"]) {
    const fault = `${flag} names "name", which has more than 65,536 different texts: that is too much for names`;
    await place.refuse(2, [fault], "scale", [...args, flag, "name"]);
  }
});

permitted("scale --data takes what other programs write", async (t) => {
  const rows: [string, string][] = [
    ["a byte-order mark and CRLF", "\ufeffx,c,y\r\n1,a,2\r\n2,b,3\r\n\r\n3,a,4"],
    ["semicolons", "x;c;y\n1;a;2\n2;b;3\n3;a;4\n"],
    ["tabs", "x\tc\ty\n1\ta\t2\n2\tb\t3\n3\ta\t4\n"],
    ["quotes with line breaks and separators", '"x","c","y"\n"1","a\nb, ""c""","2"\n2,b,3\n3,"a\nb, ""c""",4\n'],
    ["spaces around cells", " x , c ,y \n 1 , a, 2\n2,b ,3\n 3, a ,4\n"],
  ];
  await using place = await Workplace.inSeries("scale");
  for (const [name, text] of rows) {
    await t.step(name, async () => {
      await place.write("t.csv", text);
      const { stdout } = await place.succeed("scale", ["--data", "t.csv", "--target", "y", "--split", "1,0,0"]);
      assertStringIncludes(stdout, "x       numeric      1 to 3");
      assertStringIncludes(stdout, "c       categorical  a");
      assertStringIncludes(stdout, "3 training, 0 validation and 0 test rows");
    });
  }
});
