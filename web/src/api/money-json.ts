import { MONEY_FIELDS } from "./money-fields";

/** US dollars with their exact digits, as the server printed them. It becomes a number only where a chart draws it. */
export type Money = `${number}`;

const FIELDS = new Set(MONEY_FIELDS);
// `total` is money in an explanation and a count in a pagination: there, a whole number is exact either way.
const SOMETIMES = "total";
// Every string of the text, with the number after it if it is the name of a field. Strings are matched whole, so what
// looks like a field inside of one is never touched.
const NAMES = /"((?:[^"\\]|\\.)*)"(?:(\s*:\s*)(-?\d[\d.eE+-]*))?/g;

/** JSON text whose money is text. */
export function quoteMoney(json: string): string {
  return json.replace(NAMES, (all, name: string, colon?: string, number?: string) => {
    if (number === undefined || !isMoney(name, number)) return all;
    return `"${name}"${colon}"${number}"`;
  });
}

function isMoney(name: string, number: string): boolean {
  return FIELDS.has(name) && (name !== SOMETIMES || number.includes("."));
}

const QUOTED = /"((?:[^"\\]|\\.)*)"(?:(\s*:\s*)"(-?\d+(?:\.\d+)?)")?/g;

/** The way back: JSON text of a request, with money as numbers of the same digits. */
export function unquoteMoney(json: string): string {
  return json.replace(QUOTED, (all, name: string, colon?: string, digits?: string) => {
    if (digits === undefined || !FIELDS.has(name)) return all;
    return `"${name}"${colon}${digits}`;
  });
}
