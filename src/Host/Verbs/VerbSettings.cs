namespace Stoa.Host.Verbs;

/// <summary>Settings behind a verb, as <c>--Section:Key=value</c> or <c>--Section:Key value</c>.</summary>
internal static class VerbSettings
{
    /// <summary>EX_USAGE of sysexits.h.</summary>
    public const int UsageExitCode = 64;

    /// <summary>A sentence about the first argument that is no setting, such as a verb with a slip in it; null when all are.</summary>
    public static string? Wrong(string[] arguments)
    {
        for (var i = 0; i < arguments.Length; i++)
        {
            if (!arguments[i].StartsWith("--", StringComparison.Ordinal))
            {
                return $"'{arguments[i]}' is neither a verb nor a setting; see bin/stoa --help";
            }
            if (!arguments[i].Contains('=', StringComparison.Ordinal) && ++i == arguments.Length)
            {
                return $"'{arguments[^1]}' needs a value; see bin/stoa --help";
            }
        }
        return null;
    }
}
