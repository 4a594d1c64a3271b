using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform.Jobs;

namespace Stoa.Platform.Webhooks;

/// <summary>Deliveries are kept for <see cref="WebhookOptions.KeepDays"/>, those that are still tried longer.</summary>
internal sealed record ForgetWebhooks
{
    public const string Kind = "platform.forget_webhooks";
}

internal sealed class ForgetWebhooksHandler(NpgsqlDataSource source, IOptions<WebhookOptions> options, TimeProvider time)
    : IJobHandler<ForgetWebhooks>
{
    private const int Batch = 5_000;

    public async Task RunAsync(ForgetWebhooks job, JobContext context, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        while (true)
        {
            await using var forget = new NpgsqlCommand("""
                delete from platform.webhook_deliveries where id in (
                  select id from platform.webhook_deliveries where created_at < $1 and state <> 'pending' order by created_at limit $2)
                """, connection)
            {
                Parameters = { new() { Value = time.GetUtcNow().AddDays(-options.Value.KeepDays) }, new() { Value = Batch } },
            };
            if (await forget.ExecuteNonQueryAsync(ct) < Batch)
            {
                return;
            }
        }
    }
}
