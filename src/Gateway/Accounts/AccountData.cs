using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.History;
using Stoa.Platform.Privacy;

namespace Stoa.Gateway.Accounts;

/// <summary>What the Gateway keeps about a person: what the front end stored, which agents he changed, and what he ran himself.</summary>
internal sealed class AccountData(GatewayDb db, AccountSettings settings) : IPersonalData
{
    public string Name => "gateway";

    public async Task ExportAsync(Guid personId, ExportFolder folder, CancellationToken ct)
    {
        await folder.AddAsync("settings", SettingsAsync(), GatewayJson.Default.JsonObject, ct);
        var user = $"{personId}";
        var changes = db.AgentChanges.AsNoTracking().Where(change => change.UserId == user).OrderBy(change => change.Id);
        await folder.AddAsync("changes", changes.AsAsyncEnumerable(), GatewayJson.Default.AgentChange, ct);

        var runs = OfUser(user).OrderBy(run => run.CreatedAt).AsAsyncEnumerable()
            .Select(run => ConversationLog.Of(run, $"{run.OrganizationId}"));
        await folder.AddAsync("runs", runs, GatewayJson.Default.JsonObject, ct);

        async IAsyncEnumerable<JsonObject> SettingsAsync()
        {
            yield return await settings.OfPersonAsync(personId, ct);
        }
    }

    /// <summary>Runs go with what was said in them; changes stay under the id, which then stands for nobody.</summary>
    public async Task EraseAsync(Guid personId, CancellationToken ct)
    {
        var user = $"{personId}";
        await db.Database.ExecuteSqlAsync($"delete from gateway.runs where document ->> 'user_id' = {user}", ct);
        await db.Database.ExecuteSqlAsync($"delete from gateway.person_settings where person_id = {personId}", ct);
    }

    private IQueryable<AgentRun> OfUser(string user) =>
        db.Runs.FromSql($"select * from gateway.runs where document ->> 'user_id' = {user}").AsNoTracking();
}
