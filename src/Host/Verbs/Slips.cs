using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;

namespace Stoa.Host.Verbs;

/// <summary>A slip in the command line: what is said is the slip and where to read on, and not a page of help that hides it.</summary>
internal static partial class Slips
{
    /// <summary>Tells it and returns the exit code; null where there is none.</summary>
    public static int? Tell(ParseResult parsed, TextWriter error)
    {
        if (parsed.Errors.Count == 0)
        {
            return null;
        }
        var command = parsed.CommandResult.Command;
        if (parsed.Action is ParseErrorAction action)
        {
            // Whoever named no verb of many wants to see which there are.
            action.ShowHelp = command.Subcommands.Count > 0;
        }
        using var said = new StringWriter();
        parsed.Invoke(new() { Output = said, Error = said });
        error.WriteLine(WrongTypePattern().Replace(said.ToString().Trim(), InWords));
        if (command.Subcommands.Count == 0)
        {
            error.WriteLine($"See {PathOf(parsed.CommandResult)} --help");
        }
        return VerbSettings.UsageExitCode;
    }

    private static string PathOf(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : result.Command.Name;

    /// <summary>The library names the types of .NET.</summary>
    private static string InWords(Match match) => match.Groups["type"].Value switch
    {
        var type when type.Contains("Int", StringComparison.Ordinal) => $"{match.Groups["name"]} takes a whole number, not '{match.Groups["given"]}'.",
        var type when type.Contains("Double", StringComparison.Ordinal) => $"{match.Groups["name"]} takes a number, not '{match.Groups["given"]}'.",
        var type when type.Contains("Guid", StringComparison.Ordinal) => $"{match.Groups["name"]} takes an id, not '{match.Groups["given"]}'.",
        _ => $"{match.Groups["name"]} does not take '{match.Groups["given"]}'.",
    };

    [GeneratedRegex(
        "Cannot parse argument '(?<given>.*)' for (option|command) '(?<name>.*)' as expected type '(?<type>.*)'\\.",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex WrongTypePattern();
}
