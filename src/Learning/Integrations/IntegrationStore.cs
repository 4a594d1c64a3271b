using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Wire;
using static Stoa.Learning.Integrations.IntegrationsApi;

namespace Stoa.Learning.Integrations;

/// <summary>Integrations by their owner; a null owner is anybody. What is disconnected is gone, with its tokens.</summary>
internal sealed class IntegrationStore(LearningDb db, IDataProtectionProvider protection)
{
    private const int MostName = 100, MostToken = 16_384;

    private readonly IDataProtector seal = protection.CreateProtector("stoa.learning.integrations");

    /// <summary>One for each person and service. Null: there is no such person.</summary>
    public async Task<IntegrationView?> SaveAsync(NewIntegration integration, CancellationToken ct)
    {
        if (integration.IntegrationType.Length is 0 or > MostName)
        {
            throw WireErrors.Value($"integration_type must have 1 to {MostName} characters", "integration_type");
        }
        var (access, refresh) = (Seal(integration.AccessToken, "access_token"), Seal(integration.RefreshToken, "refresh_token"));
        var expiresAt = integration.ExpiresAt?.ToUniversalTime();
        var saved = await db.Integrations.FromSql($"""
            insert into learning.integrations (user_id, integration_type, access_token, refresh_token, expires_at)
            select id, {integration.IntegrationType}, {access}, {refresh}::bytea, {expiresAt}::timestamptz
            from learning.users where id = {integration.UserId} and deleted_at is null
            on conflict (user_id, integration_type) do update
              set access_token = excluded.access_token, refresh_token = excluded.refresh_token,
              expires_at = excluded.expires_at, deleted_at = null
            returning *
            """).IgnoreQueryFilters().AsNoTracking().ToListAsync(ct);
        return saved is [var row] ? Open(row) : null;
    }

    public async Task<List<IntegrationView>> ListAsync(int owner, CancellationToken ct)
    {
        var rows = await db.Integrations.AsNoTracking().Where(row => row.UserId == owner).OrderBy(row => row.Id).ToListAsync(ct);
        return rows.ConvertAll(Open);
    }

    public async Task<IntegrationView?> FindAsync(int? owner, int id, CancellationToken ct) =>
        await Of(owner, id).AsNoTracking().FirstOrDefaultAsync(ct) is { } row ? Open(row) : null;

    public async Task<IntegrationView?> UpdateAsync(int? owner, int id, NewTokens tokens, CancellationToken ct)
    {
        var (access, refresh) = (Seal(tokens.AccessToken, "access_token"), Seal(tokens.RefreshToken, "refresh_token"));
        if (await Of(owner, id).FirstOrDefaultAsync(ct) is not { } row)
        {
            return null;
        }
        row.AccessToken = access ?? row.AccessToken;
        row.RefreshToken = refresh ?? row.RefreshToken;
        row.ExpiresAt = tokens.ExpiresAt ?? row.ExpiresAt;
        await db.SaveChangesAsync(ct);
        return Open(row);
    }

    public async Task<bool> DeleteAsync(int? owner, int id, CancellationToken ct) => await Of(owner, id).ExecuteDeleteAsync(ct) > 0;

    public Task DeleteAsync(int owner, string type, CancellationToken ct) =>
        db.Integrations.Where(row => row.UserId == owner && row.IntegrationType == type).ExecuteDeleteAsync(ct);

    private IQueryable<IntegrationRow> Of(int? owner, int id) =>
        db.Integrations.Where(row => row.Id == id && (owner == null || row.UserId == owner));

    private byte[]? Seal(string? token, string field) => token is null ? null
        : token.Length <= MostToken ? seal.Protect(Encoding.UTF8.GetBytes(token))
        : throw WireErrors.Value($"{field} must have at most {MostToken} characters", field);

    private IntegrationView Open(IntegrationRow row) => new(
        row.Id, row.UserId, row.IntegrationType, Unseal(row.AccessToken), row.RefreshToken is { } refresh ? Unseal(refresh) : null,
        row.ExpiresAt, row.CreatedAt);

    private string Unseal(byte[] token) => Encoding.UTF8.GetString(seal.Unprotect(token));
}
