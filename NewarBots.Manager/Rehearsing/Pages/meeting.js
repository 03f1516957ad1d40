// The rehearsal of a meeting: shows what the scenario says, one page after the other. There is no animation and no polling,
// so that what a bot's browser uses is the bot's.
import { open } from './door.js';

open();
