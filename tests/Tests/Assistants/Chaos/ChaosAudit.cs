using Npgsql;
using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants.Chaos;

/// <summary>How far the work is, and what has become of it, as the database, the mail server and the push service tell.</summary>
internal static class ChaosAudit
{
    /// <summary>From 0 to 1: half of it is asking, half is doing.</summary>
    public static async Task<double> ProgressAsync(NpgsqlDataSource source, ChaosLaunch launch)
    {
        var done = await CountAsync(
            source, "select count(*) from platform.finished_jobs where kind like 'assistants.%' and created_by like 'user:%'");
        return (launch.Answered + Math.Min(done, launch.Count)) / (2.0 * launch.Count);
    }

    /// <summary>Jobs of users, and users whose hour has come.</summary>
    public static Task<long> OpenAsync(NpgsqlDataSource source) => CountAsync(source, """
        select (select count(*) from platform.jobs
          where kind like 'assistants.%' and (created_by like 'user:%' or kind = 'assistants.local_hours'))
          + (select count(*) from assistants.user_schedules where next_due_at <= now())
        """);

    public static Task SettleAsync(NpgsqlDataSource source) =>
        Patience.UntilAsync(async () => await OpenAsync(source) == 0, () => "Jobs are still at work");

    /// <summary>
    /// What did not come to one end, or has not its effect once; and how many mails and notifications were told again, as the same ones.
    /// </summary>
    public static async Task<(List<string> Faults, int ToldAgain)> FaultsAsync(
        NpgsqlDataSource source, ChaosSite site, ChaosLaunch launch, int kills)
    {
        List<string> faults = [];
        var again = 0;
        foreach (var (chore, isAccepted) in launch.Accepted.Select(one => (one, true)).Concat(launch.Unsure.Select(one => (one, false))))
        {
            var (kind, number) = chore;
            var states = await ValueAsync<string[]>(
                source, $"select coalesce(array_agg(j.state), '{{}}') from platform.finished_jobs j where {kind.Jobs}", number);
            var effects = await ValueAsync<long[]>(source, $"select array[{kind.Effects}]", number);
            var tells = kind.Receiver is { } receiver ? site.TellsOf(receiver(number)) : null;
            var isDone = states.Length == kind.JobCount && states.All(state => state == "succeeded") && effects.SequenceEqual(kind.Expected)
                && (tells is null || (tells.Distinct(StringComparer.Ordinal).Count() == 1 && tells.Count <= 1 + kills));
            var isNothing = states.Length == 0 && effects.All(count => count == 0) && tells is null or [];
            if (!isDone && (isAccepted || !isNothing))
            {
                faults.Add(
                    $"{kind.Name} {ChaosSite.Text(number)}, {(isAccepted ? "accepted" : "unsure")}: jobs [{string.Join(' ', states)}], " +
                    $"effects [{string.Join(' ', effects)}] instead of [{string.Join(' ', kind.Expected)}], told {tells?.Count} times");
            }
            again += Math.Max(0, (tells?.Count ?? 0) - 1);
        }
        return (faults, again);
    }

    public static Task<string> SummaryAsync(NpgsqlDataSource source) => ValueAsync<string>(source, """
        select string_agg(line, E'\n' order by line) from (
          select kind || ': ' || count(*) || ' ' || state || ', ' || count(*) filter (where attempt > 1) || ' of them not at once' as line
          from platform.finished_jobs where kind like 'assistants.%' and $1 = '0' group by kind, state) lines
        """, 0);

    private static async Task<T> ValueAsync<T>(NpgsqlDataSource source, string sql, int number)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = ChaosSite.Text(number) });
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private static async Task<long> CountAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
