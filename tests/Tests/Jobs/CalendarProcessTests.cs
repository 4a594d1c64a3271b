using Stoa.JobsRig;
using Stoa.Tests.Support;

namespace Stoa.Tests.Jobs;

/// <summary>Calendars as they are deployed: processes that know nothing of each other but the database.</summary>
public sealed class CalendarProcessTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private const string Slots = $"""
        (select split_part(correlation_id, '@', 2)::timestamptz as slot from platform.jobs
         where created_by = 'schedule:{CalendarWorker.Schedule}') slots
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly List<NodeProcess> processes = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_slot_is_fired_once_by_two_processes_also_when_one_and_then_the_other_is_killed()
    {
        try
        {
            var (first, second) = (Start(), Start());
            await UntilAsync("select count(*) = 2 from calendars.scheduler_state");
            await MoreSlotsAsync();

            first.Kill();
            await MoreSlotsAsync();

            var known = await database.ScalarAsync<string[]>("select array_agg(instance_name::text) from calendars.scheduler_state");
            Start();
            await UntilAsync(
                $"select count(*) = 1 from calendars.scheduler_state where instance_name <> all ('{{{string.Join(',', known)}}}')");
            second.Kill();
            await MoreSlotsAsync();
        }
        finally
        {
            foreach (var process in processes)
            {
                process.Kill();
            }
        }

        Assert.Equal(0, await database.ScalarAsync<long>($"select count(*) - count(distinct slot) from {Slots}"));
        Assert.Equal(
            0, await database.ScalarAsync<long>($"select extract(epoch from max(slot) - min(slot))::bigint + 1 - count(*) from {Slots}"));
    }

    private NodeProcess Start()
    {
        var process = new NodeProcess("calendar", database.ConnectionString, "Calendars:CheckInSeconds=1", "Calendars:LateSeconds=5");
        processes.Add(process);
        return process;
    }

    private async Task MoreSlotsAsync()
    {
        var slots = await database.ScalarAsync<long>($"select count(*) from {Slots}");
        await UntilAsync($"select count(*) >= {slots + 3} from {Slots}");
    }

    private async Task UntilAsync(string condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await IsTrueAsync(condition))
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(started) < Patience,
                $"{condition}\n{string.Join("\n\n", processes.Select(process => process.Log))}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Ct);
        }
    }

    /// <summary>The scheduler's tables come into being with the first process.</summary>
    private async Task<bool> IsTrueAsync(string condition)
    {
        try
        {
            return await database.ScalarAsync<bool>(condition);
        }
        catch (Npgsql.PostgresException absent) when (absent.SqlState == Npgsql.PostgresErrorCodes.UndefinedTable)
        {
            return false;
        }
    }
}
