// The command line: words and flags to one function of commands/command.hpp.
#pragma once

namespace keyward::app {

/// Returns the exit code.
int run_command_line(int argument_count, char** arguments);

}  // namespace keyward::app
