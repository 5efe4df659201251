/* The run page: its stream, its lanes, its steps. */
import "./stream.js";
import "./lanes.js";
import "./steps.js";
import "./judge.js";
import "./reading.js";
