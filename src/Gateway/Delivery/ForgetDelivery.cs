using Npgsql;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Delivery;

/// <summary>
/// Pushed messages whose time is over, leases of dead processes, and queued runs that nobody has taken back for two weeks.
/// </summary>
internal sealed record ForgetDelivery
{
    public const string Kind = "gateway.forget_delivery";
}

internal sealed class ForgetDeliveryHandler(NpgsqlDataSource source, TimeProvider time) : IJobHandler<ForgetDelivery>
{
    private static readonly TimeSpan KeptRuns = TimeSpan.FromDays(14);
    private static readonly TimeSpan KeptWhenDone = TimeSpan.FromHours(1);

    public async Task RunAsync(ForgetDelivery job, JobContext context, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var batch = source.CreateBatch();
        batch.BatchCommands.Add(new("delete from gateway.push_messages where expires_at < $1") { Parameters = { new() { Value = now } } });
        batch.BatchCommands.Add(
            new("delete from gateway.queued_runs where created_at < $1") { Parameters = { new() { Value = now - KeptRuns } } });
        batch.BatchCommands.Add(
            new("delete from gateway.queued_runs where done_at < $1") { Parameters = { new() { Value = now - KeptWhenDone } } });
        batch.BatchCommands.Add(
            new("delete from gateway.run_leases where until < $1") { Parameters = { new() { Value = now - KeptWhenDone } } });
        batch.BatchCommands.Add(
            new("delete from gateway.thread_leases where until < $1") { Parameters = { new() { Value = now - KeptWhenDone } } });
        await batch.ExecuteNonQueryAsync(ct);
    }
}
