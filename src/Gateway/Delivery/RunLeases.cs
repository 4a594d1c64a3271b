using Microsoft.Extensions.Logging;
using Npgsql;

namespace Stoa.Gateway.Delivery;

/// <summary>
/// Who is at work on a queued run. A broker that lost a connection gives a message out again while its run may still be under way; this
/// keeps it from being run beside itself. A node that dies holds its runs for a few seconds more.
/// </summary>
internal sealed partial class RunLeases(NpgsqlDataSource source, TimeProvider time, ILogger<RunLeases> logger)
{
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(4);

    private const string Take = """
        insert into gateway.run_leases (organization_id, message_id, holder, until) values ($1, $2, $3, now() + interval '15 seconds')
        on conflict (organization_id, message_id) do update set holder = excluded.holder, until = excluded.until
        where run_leases.until < now()
        """;

    private const string Renew = """
        update gateway.run_leases set until = now() + interval '15 seconds' where organization_id = $1 and message_id = $2 and holder = $3
        """;

    private const string End = "delete from gateway.run_leases where organization_id = $1 and message_id = $2 and holder = $3";

    /// <summary>Null while somebody else is at work on it.</summary>
    public async Task<Lease?> TryTakeAsync(Guid organizationId, string messageId, CancellationToken ct)
    {
        var lease = new Lease(this, time, organizationId, messageId);
        if (await ExecuteAsync(Take, lease, ct) == 0)
        {
            return null;
        }
        lease.Begin();
        return lease;
    }

    private async Task<int> ExecuteAsync(string sql, Lease lease, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = lease.OrganizationId });
        command.Parameters.Add(new() { Value = lease.MessageId });
        command.Parameters.Add(new() { Value = lease.Holder });
        return await command.ExecuteNonQueryAsync(ct);
    }

    [LoggerMessage(LogLevel.Warning, "The lease of the queued run {Run} could not be renewed: {Problem}")]
    private partial void LogNotRenewed(string run, string problem);

    internal sealed class Lease(RunLeases leases, TimeProvider time, Guid organizationId, string messageId) : IAsyncDisposable
    {
        private readonly CancellationTokenSource lost = new();
        private readonly CancellationTokenSource ended = new();
        private Task renewing = Task.CompletedTask;

        public Guid OrganizationId => organizationId;

        public string MessageId => messageId;

        public Guid Holder { get; } = Guid.CreateVersion7(time.GetUtcNow());

        /// <summary>Somebody else may be at work on it now.</summary>
        public CancellationToken Lost => lost.Token;

        public void Begin() => renewing = Task.Run(RenewAsync);

        public async ValueTask DisposeAsync()
        {
            await ended.CancelAsync();
            await renewing;
            try
            {
                await leases.ExecuteAsync(End, this, CancellationToken.None);
            }
            catch (Exception away) when (away is NpgsqlException or IOException or TimeoutException)
            {
                // It runs out by itself.
                leases.LogNotRenewed(messageId, away.Message);
            }
            lost.Dispose();
            ended.Dispose();
        }

        private async Task RenewAsync()
        {
            using var timer = new PeriodicTimer(RenewEvery, time);
            try
            {
                while (await timer.WaitForNextTickAsync(ended.Token))
                {
                    try
                    {
                        if (await leases.ExecuteAsync(Renew, this, ended.Token) == 0)
                        {
                            await lost.CancelAsync();
                            return;
                        }
                    }
                    catch (Exception away) when (away is NpgsqlException or IOException or TimeoutException)
                    {
                        // The next one may succeed; if not, whoever takes it over asks for an answer first.
                        leases.LogNotRenewed(messageId, away.Message);
                    }
                }
            }
            catch (OperationCanceledException)
            {
                // The run has ended.
            }
        }
    }
}
