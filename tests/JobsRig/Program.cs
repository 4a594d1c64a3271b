using System.Globalization;
using System.Text.Json;
using Stoa.JobsRig;

// worker, calendar: one node, a child of the others. chaos: three of them and everything that can befall them. bench: how fast.
switch (args)
{
    case ["worker", var database, var mutant, .. var settings]:
        await Worker.RunAsync(database, Enum.Parse<Mutant>(mutant, ignoreCase: true), settings);
        return 0;
    case ["calendar", var database, .. var settings]:
        await CalendarWorker.RunAsync(database, settings);
        return 0;
    case ["chaos", .. var rest]:
        var run = new Chaos(
            Seconds: int.Parse(Of(rest, "--seconds") ?? "60", CultureInfo.InvariantCulture),
            Seed: int.Parse(
                Of(rest, "--seed") ?? Random.Shared.Next(1_000_000).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
            Mutant: Enum.Parse<Mutant>(Of(rest, "--mutant") ?? "none", ignoreCase: true),
            ProxyTool: Of(rest, "--proxy"),
            Say: line => Console.Error.WriteLine(line));
        var report = await run.PlayAsync(CancellationToken.None);
        Console.WriteLine(JsonSerializer.Serialize(report));
        return report.Violations.Count == 0 ? 0 : 1;
    case ["bench", .. var rest]:
        return await JobsBench.RunAsync(rest) ? 0 : 1;
    default:
        Console.Error.WriteLine(
            "Usage: chaos [--seconds N] [--seed N] [--mutant none|no_fence|…] [--proxy chaos_proxy.py] | bench [--quick true]");
        return 2;
}

static string? Of(string[] words, string name) => Array.IndexOf(words, name) is >= 0 and var at ? words[at + 1] : null;
