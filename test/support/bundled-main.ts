/** The variable that names the bundle of the command line, where there is one: else it is translated as it starts. */
export const MAIN_VARIABLE = 'REELAY_TEST_MAIN'
