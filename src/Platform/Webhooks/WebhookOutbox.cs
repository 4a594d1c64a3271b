using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Platform.Webhooks;

/// <summary>
/// Takes webhooks for sending: each is a row of the delivery log and a job, so what was committed is sent, also after a crash.
/// </summary>
public sealed class WebhookOutbox(
    NpgsqlDataSource source, JobQueue jobs, AddressGuard guard, IDataProtectionProvider protection, TimeProvider time)
{
    private const int MaxUrl = 8192;
    private const int MaxBody = 8 << 20;

    private readonly IDataProtector seal = protection.CreateProtector("stoa.webhooks");

    /// <summary>Whether anything may be sent there, as far as the text of the address tells.</summary>
    /// <exception cref="Failure">Invalid <c>url_not_allowed</c>.</exception>
    public void Check(string url) => guard.Check(url);

    /// <summary>Committed when it returns. What was taken before under the same ids stays as it is.</summary>
    public async Task SendAsync(IReadOnlyList<NewWebhook> webhooks, CancellationToken ct)
    {
        if (webhooks.Count == 0)
        {
            return;
        }
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await SendAsync(connection, webhooks, ct);
        await transaction.CommitAsync(ct);
        jobs.Wake();
    }

    /// <summary>In the caller's transaction. After its commit <see cref="JobQueue.Wake"/> starts them at once.</summary>
    public async Task SendAsync(NpgsqlConnection connection, IReadOnlyList<NewWebhook> webhooks, CancellationToken ct)
    {
        Made[] made = [.. webhooks.Select(Make)];
        await InsertAsync(connection, made, ct);
        await jobs.EnqueueAsync(connection, [.. made.Select(one => one.Job)], ct);
    }

    private Made Make(NewWebhook webhook)
    {
        if (webhook.Url.Length > MaxUrl || webhook.Url.Contains('\0', StringComparison.Ordinal))
        {
            throw AddressGuard.NotAllowed();
        }
        if (webhook.Body.Length > MaxBody)
        {
            throw new Failure(FailureKind.TooLarge, "webhook_too_large", $"A webhook has at most {MaxBody} characters");
        }
        var id = Guid.CreateVersion7(time.GetUtcNow());
        var headers = WebhookHeaders.Of(webhook.Headers);
        var sealedHeaders = headers.Count == 0 ? null
            : seal.Protect(JsonSerializer.SerializeToUtf8Bytes(headers, WebhookJson.Default.ListKeyValuePairStringString));
        var job = jobs.Make(new SendWebhook(id), SendWebhook.Options(id, webhook.OrganizationId));
        return new(webhook, id, sealedHeaders, job);
    }

    private static async Task InsertAsync(NpgsqlConnection connection, IReadOnlyList<Made> made, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var (webhook, id, headers, _) in made)
        {
            batch.BatchCommands.Add(new("""
                insert into platform.webhook_deliveries
                  (id, organization_id, webhook_id, kind, url, headers, header_prefix, body, state, created_at, updated_at, next_attempt_at)
                values ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', now(), now(), now())
                on conflict (organization_id, webhook_id) do nothing
                """)
            {
                Parameters =
                {
                    new() { Value = id },
                    new() { Value = webhook.OrganizationId },
                    new() { Value = webhook.WebhookId },
                    new() { Value = webhook.Kind },
                    new() { Value = webhook.Url },
                    new() { Value = (object?)headers ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bytea },
                    new() { Value = (object?)webhook.HeaderPrefix ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
                    new() { Value = webhook.Body },
                },
            });
        }
        await batch.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The receiver's headers, as they were given.</summary>
    internal List<KeyValuePair<string, string>> HeadersOf(WebhookDelivery delivery) => delivery.Headers is null ? []
        : JsonSerializer.Deserialize(seal.Unprotect(delivery.Headers), WebhookJson.Default.ListKeyValuePairStringString)!;

    /// <summary>A webhook that is ready to be written: its row and its job.</summary>
    private sealed record Made(NewWebhook Webhook, Guid Id, byte[]? Headers, NewJob Job);
}
