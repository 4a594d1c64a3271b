using Microsoft.Extensions.Hosting;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Jobs;

namespace Stoa.JobsRig;

/// <summary>Writes causes and enqueues their jobs, each pair in one transaction; one in ten is rolled back.</summary>
internal sealed class Producer(NpgsqlDataSource source, JobQueue queue, DatabaseReadiness readiness, Misdeed misdeed, TimeProvider time)
    : BackgroundService
{
    private const int Loops = 3;
    private const int LongestBacklog = 400;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await readiness.WhenReady(stoppingToken);
        await Task.WhenAll(Enumerable.Range(0, Loops).Select(_ => Task.Run(() => ProduceAsync(stoppingToken), stoppingToken)));
    }

    private async Task ProduceAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await ProduceOneAsync(ct);
            }
            catch (Exception exception) when (!ct.IsCancellationRequested && Outage.Is(exception))
            {
                // Whether it was committed, the ledger will know.
            }
            await Task.Delay(Pause, time, ct);
        }
    }

    private async Task ProduceOneAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        if (!await IsWantedAsync(connection, ct))
        {
            await Task.Delay(Pause * 10, time, ct);
            return;
        }
        var roll = Random.Shared.Next(100);
        var cause = Guid.CreateVersion7();
        if (misdeed.Mutant is Mutant.EnqueueOutside)
        {
            await queue.EnqueueAsync(new Effect(cause, Bond.Completed), null, ct);
        }
        await using var transaction = await connection.BeginTransactionAsync(ct);
        switch (roll)
        {
            case < 15:
                var key = $"key {Random.Shared.Next(4)}";
                await ExecuteAsync(connection, "insert into rig.requests (key) values ($1)", key, ct);
                await queue.EnqueueAsync(connection, new Merged(key), new() { UniqueKey = key, UniqueMode = UniqueMode.Coalesce }, ct);
                break;
            case < 20:
                var second = time.GetUtcNow().ToUnixTimeSeconds();
                await queue.EnqueueAsync(
                    connection, new Slot(second), new() { UniqueKey = $"{second}", UniqueFor = TimeSpan.FromHours(1) }, ct);
                break;
            case < 45:
                await ExecuteAsync(connection, "insert into rig.causes (id) values ($1)", cause, ct);
                await queue.EnqueueAsync(connection, new Shared(cause), new() { LimitKey = $"{Random.Shared.Next(4)}" }, ct);
                break;
            default:
                await ExecuteAsync(connection, "insert into rig.causes (id) values ($1)", cause, ct);
                if (misdeed.Mutant is Mutant.EnqueueOutside)
                {
                    break;
                }
                var parent = await queue.EnqueueAsync(connection, new Effect(cause, (Bond)(roll % 3)), null, ct);
                if (roll > 85)
                {
                    var child = Guid.CreateVersion7();
                    await ExecuteAsync(connection, "insert into rig.causes (id) values ($1)", child, ct);
                    EnqueueOptions follows = new() { After = parent.Id, AfterOutcome = (AfterOutcome)(roll % 3) };
                    await queue.EnqueueAsync(connection, new Effect(child, Bond.Completed), follows, ct);
                }
                break;
        }
        if (Random.Shared.Next(10) == 0)
        {
            await transaction.RollbackAsync(ct);
            return;
        }
        await transaction.CommitAsync(ct);
        queue.Wake();
    }

    private static async Task<bool> IsWantedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var count = new NpgsqlCommand(
            "select (select count(*) from platform.jobs) < $1 and not exists (select from rig.over)", connection)
        {
            Parameters = { new() { Value = LongestBacklog } },
        };
        return (bool)(await count.ExecuteScalarAsync(ct))!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, object value, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = value } } };
        await command.ExecuteNonQueryAsync(ct);
    }
}
