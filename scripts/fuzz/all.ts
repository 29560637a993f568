import { parsers } from './parsers.ts';
import { serviceParsers } from './service.ts';

export const all = { ...parsers, ...serviceParsers };
