using System.Net;
using Npgsql;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Http;

/// <summary>
/// Npgsql cancels a query over a second connection that it reads synchronously, while whoever handles the query's answer waits for that
/// to end. On one event thread the two would wait for each other, and every connection of that thread with them.
/// </summary>
public sealed class AbandonedQueryTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    // Two have to meet on one event thread at one moment; with so many, some do.
    private const int Callers = 16;
    private const int Rounds = 10;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Callers_who_leave_in_the_middle_of_a_query_hold_nobody_up()
    {
        var address = new NpgsqlConnectionStringBuilder(database.ConnectionString) { MaxPoolSize = Callers + 4 };
        await using var host = await HostProcess.StartAsync(
            new Dictionary<string, string?> { ["ConnectionStrings__Stoa"] = address.ConnectionString });
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await using var lockTable = new NpgsqlCommand("lock table gateway.prices in access exclusive mode", connection);
        await lockTable.ExecuteNonQueryAsync(Ct);
        for (var round = 0; round < Rounds; round++)
        {
            using var leaving = new CancellationTokenSource();
            var callers = Enumerable.Range(0, Callers).Select(_ => AskAsync(host, "/api/stoa/prices", leaving.Token)).ToList();
            await WaitForAsync(Callers);
            await leaving.CancelAsync();
            await Task.WhenAll(callers.Select(caller => Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller)));
            await WaitForAsync(0);
        }

        using var patience = new CancellationTokenSource(Patience.Long, TimeProvider.System);
        var answers = await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => AskAsync(host, "/healthz", patience.Token)));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer));
    }

    private static async Task<HttpStatusCode> AskAsync(HostProcess host, string path, CancellationToken ct)
    {
        using var client = host.CreateClient();
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative), ct);
        return answer.StatusCode;
    }

    /// <summary>Until so many queries of callers wait for the table; once a minute the host looks into it too.</summary>
    private Task WaitForAsync(long queries)
    {
        var waiting = 0L;
        return Patience.UntilAsync(
            async () =>
            {
                waiting = await database.ScalarAsync<long>("""
                    select count(*) from pg_stat_activity
                    where datname = current_database() and wait_event_type = 'Lock' and query not like '%valid_from <=%'
                    """);
                return waiting == queries;
            },
            () => $"{waiting} queries wait, not {queries}");
    }
}
