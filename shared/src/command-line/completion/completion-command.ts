import { Argument, type Command } from "commander"
import { addExamples } from "../help.ts"
import { bashScript } from "./bash-script.ts"
import { completedCommands } from "./completed-command.ts"
import { fishScript } from "./fish-script.ts"
import { zshScript } from "./zsh-script.ts"

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript }

/** `completion SHELL`: prints a script that makes a shell complete this program's commands and flags. */
export function addCompletionCommand(program: Command): void {
  const name = program.name()
  const command = program
    .command("completion")
    .description("Prints a script that completes commands and flags in a shell.")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(SCRIPTS)))
    .action((shell: keyof typeof SCRIPTS) => {
      const [main, ...others] = completedCommands(program)
      process.stdout.write(SCRIPTS[shell](name, [main, ...others]))
    })
  addExamples(command, [
    `source <(${name} completion bash)  # in ~/.bashrc`,
    `source <(${name} completion zsh)   # in ~/.zshrc`,
    `${name} completion fish | source   # in config.fish`,
  ])
}
