using System.CommandLine;
using Stoa.Platform.Hosting;

namespace Stoa.Host.Verbs;

internal enum Health
{
    Ok,
    Warn,
    Fail,
}

/// <summary>One line of the doctor: what was looked at, what was found, and how to mend it.</summary>
internal sealed record Finding(Health Health, string What, string Found, string? Mend = null)
{
    public override string ToString() =>
        $"{Health.ToString().ToLowerInvariant(),-4}  {What}: {Found}{(Mend is null ? "" : $" -> {Mend}")}";
}

/// <summary>Looks at everything that keeps a host from starting, and says how to mend it. Changes nothing.</summary>
internal static class DoctorVerb
{
    public static Command Create()
    {
        var verb = new Command("doctor", "Check what the host needs; exit code 1 if something must be mended");
        verb.SetAction((_, ct) => RunAsync(ct));
        return verb;
    }

    private static async Task<int> RunAsync(CancellationToken ct)
    {
        List<Finding> findings = [];
        try
        {
            await using var app = await App.BuildAsync([]);
            findings.Add(new(Health.Ok, "settings", "valid"));
            findings.AddRange(await Checks.RunAsync(app.Configuration, ct));
        }
        catch (WrongSettingException wrong)
        {
            findings.AddRange(wrong.Problems.Select(
                problem => new Finding(Health.Fail, "settings", $"{problem}", "correct it, then run doctor again")));
        }
        foreach (var finding in findings)
        {
            await Console.Out.WriteLineAsync($"{finding}");
        }
        return findings.Exists(finding => finding.Health == Health.Fail) ? 1 : 0;
    }
}
