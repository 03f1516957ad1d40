// A simulated Google Meet call: shows the scenario's screens one after the other. Without animation or polling, so that the CPU time of a
// bot's browser is the bot's own.
import { open } from './lobby.js';

open();
