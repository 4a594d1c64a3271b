namespace Stoa.Platform.Hosting;

/// <summary>One wrong setting: which, what it must be, and where the value came from.</summary>
public sealed record SettingProblem(string Key, string Rule, string Source)
{
    public override string ToString() => $"{Key} {Rule} (from {Source})";
}

/// <summary>The host cannot start as it is configured; the process ends with <see cref="ExitCode"/> and one line.</summary>
public sealed class WrongSettingException(IReadOnlyList<SettingProblem> problems)
    : Exception(problems.Count == 1 ? $"{problems[0]}" : $"{problems[0]}; {problems.Count - 1} more: bin/stoa config check")
{
    /// <summary>EX_CONFIG of sysexits.h.</summary>
    public const int ExitCode = 78;

    public IReadOnlyList<SettingProblem> Problems => problems;
}
