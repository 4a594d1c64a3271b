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
        error.WriteLine(WrongTypePattern().Replace(said.ToString().Trim(), match => InWords(match, command)));
        if (command.Subcommands.Count == 0)
        {
            error.WriteLine($"See {PathOf(parsed.CommandResult)} --help");
        }
        return VerbSettings.UsageExitCode;
    }

    private static string PathOf(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : result.Command.Name;

    /// <summary>The library names the types of .NET.</summary>
    private static string InWords(Match match, Command command)
    {
        var (name, given) = (match.Groups["name"].Value, match.Groups["given"].Value);
        var type = command.Options.FirstOrDefault(option => option.Name == name)?.ValueType;
        type = type?.GetElementType() ?? type;
        type = type is null ? null : Nullable.GetUnderlyingType(type) ?? type;
        return type switch
        {
            { IsEnum: true } => $"{name} takes one of {string.Join(", ", Enum.GetNames(type)).ToLowerInvariant()}, not '{given}'.",
            _ when type == typeof(int) || type == typeof(long) => $"{name} takes a whole number, not '{given}'.",
            _ when type == typeof(double) => $"{name} takes a number, not '{given}'.",
            _ when type == typeof(Guid) => $"{name} takes an id, not '{given}'.",
            _ => $"{name} does not take '{given}'.",
        };
    }

    [GeneratedRegex(
        "Cannot parse argument '(?<given>.*)' for (option|command) '(?<name>.*)' as expected type '.*'\\.",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex WrongTypePattern();
}
