/**
 * Imported by what runs in threads and meets foreign files: a demuxer tells the console of whatever it finds odd in one
 * (mediabunny 1.61.0), in lines that have no place in the log and that whoever sends files could fill it with. What is
 * wrong with a file is said by whoever looks into it.
 */
import { Logging, LogLevel } from 'mediabunny'

Logging.level = LogLevel.Silent
