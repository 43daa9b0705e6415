/**
 * What a shell or a CI system sets so that programs print colours. Tests compare what a program prints into a pipe, and
 * say themselves where they want colours.
 */
for (const name of ["FORCE_COLOR", "CLICOLOR_FORCE", "NO_COLOR"]) delete process.env[name]
