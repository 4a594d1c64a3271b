using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Platform.Webhooks;

/// <summary>A signing secret as lists show it.</summary>
internal sealed record WebhookSecret(Guid Id, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt);

/// <summary>The secrets with which an organization's webhooks are signed: the newest, and older ones until their time is over.</summary>
internal sealed class WebhookSecrets(NpgsqlDataSource source, IDataProtectionProvider protection, TimeProvider time)
{
    private readonly IDataProtector seal = protection.CreateProtector("stoa.webhooks");

    /// <summary>What signs now, newest first.</summary>
    public async Task<List<string>> LiveAsync(Guid organizationId, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            select secret from platform.webhook_secrets
            where organization_id = $1 and (expires_at is null or expires_at > $2)
            order by id desc
            """);
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = time.GetUtcNow() });
        await using var rows = await command.ExecuteReaderAsync(ct);
        List<string> secrets = [];
        while (await rows.ReadAsync(ct))
        {
            secrets.Add(Encoding.UTF8.GetString(seal.Unprotect(rows.GetFieldValue<byte[]>(0))));
        }
        return secrets;
    }

    public async Task<List<WebhookSecret>> ListAsync(Guid organizationId, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            select id, created_at, expires_at from platform.webhook_secrets
            where organization_id = $1 and (expires_at is null or expires_at > $2)
            order by id desc
            """);
        command.Parameters.Add(new() { Value = organizationId });
        command.Parameters.Add(new() { Value = time.GetUtcNow() });
        await using var rows = await command.ExecuteReaderAsync(ct);
        List<WebhookSecret> secrets = [];
        while (await rows.ReadAsync(ct))
        {
            secrets.Add(new(
                rows.GetGuid(0), rows.GetFieldValue<DateTimeOffset>(1), rows.InstantOrNull(2)));
        }
        return secrets;
    }

    /// <summary>A new secret, shown this once. Those before it go on signing for as long as <paramref name="overlap"/>.</summary>
    public async Task<(WebhookSecret Row, string Secret)> RotateAsync(
        IdentityDb db, Guid organizationId, TimeSpan overlap, string actor, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        var secret = WebhookSignature.NewSecret();
        var made = new WebhookSecret(Guid.CreateVersion7(now), now, ExpiresAt: null);
        var (until, bytes) = (now + overlap, seal.Protect(Encoding.UTF8.GetBytes(secret)));
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // One rotation after the other: there is one newest.
        await db.Database.ExecuteSqlAsync($"select from platform.organizations where id = {organizationId} for update", ct);
        await db.Database.ExecuteSqlAsync($"""
            update platform.webhook_secrets set expires_at = {until}
            where organization_id = {organizationId} and (expires_at is null or expires_at > {until})
            """, ct);
        await db.Database.ExecuteSqlAsync(
            $"delete from platform.webhook_secrets where organization_id = {organizationId} and expires_at < {now}", ct);
        await db.Database.ExecuteSqlAsync($"""
            insert into platform.webhook_secrets (id, organization_id, secret, created_at)
              values ({made.Id}, {organizationId}, {bytes}, {now})
            """, ct);
        db.Note(time, actor, "webhook_secret.create", $"webhook_secret:{made.Id}", organizationId);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return (made, secret);
    }

    /// <summary>It signs nothing from now on.</summary>
    public async Task RemoveAsync(IdentityDb db, Guid organizationId, Guid id, string actor, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.Database.ExecuteSqlAsync(
            $"delete from platform.webhook_secrets where id = {id} and organization_id = {organizationId}", ct) == 0)
        {
            throw Failure.NotFound("Secret");
        }
        db.Note(time, actor, "webhook_secret.remove", $"webhook_secret:{id}", organizationId);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }
}
