using Npgsql;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Wire;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Users;

/// <summary>What a list of users is narrowed to.</summary>
/// <param name="ApiClientId">Those of one program; null: of all.</param>
/// <param name="SearchText">A part of the name by which the list is sorted, as it is written.</param>
internal sealed record UserFilter(Guid? ApiClientId, string? AuthMethod, string? SearchText);

/// <summary>Lists and single users, confined to what the calling program may see.</summary>
internal sealed class UserDirectory(NpgsqlDataSource source, TimeProvider time)
{
    public const string Username = "username", DisplayName = "display_name";

    /// <summary>Whose users the program may see: those it names, else all for a trusted one and its own for another.</summary>
    /// <exception cref="Failure">2: they are another program's.</exception>
    public static Guid? Confine(ApiClient client, Guid? asked) =>
        client.Trusted ? asked
        : asked is null || asked == client.Id ? client.Id
        : throw FeedbackCode.ApiClientNotAuthorized.Refusal("The API client is not authorized to see users of another one");

    public async Task<FeedbackUser> RequireAsync(Guid userId, Guid? apiClientId, CancellationToken ct) =>
        await OneAsync("id = $1 and ($2::uuid is null or api_client_id = $2)", ct, userId, apiClientId);

    public async Task<FeedbackUser> RequireAsync(string authMethod, string username, Guid apiClientId, CancellationToken ct) =>
        await OneAsync("api_client_id = $1 and username = $2 and auth_method = $3", ct, apiClientId, username, authMethod);

    /// <summary>By name and id, within bounds.</summary>
    /// <param name="column"><see cref="Username"/> or <see cref="DisplayName"/>.</param>
    public Task<List<FeedbackUser>> ListAsync(
        string column, UserFilter filter, Cursor? from, Cursor? to, int most, bool descending, CancellationToken ct)
    {
        List<object?> values = [];
        var sql = Select(column, filter, values)
            + from?.Condition(column, "id", '>', from.Key, values) + to?.Condition(column, "id", '<', to.Key, values);
        values.Add(most);
        var direction = descending ? "desc" : "asc";
        return ReadAsync($"{sql} order by {column} {direction}, id {direction} limit ${values.Count}", values, ct);
    }

    public async Task<PageResult<FrontEndUser>> PageAsync(string column, UserFilter filter, CursorPage page, CancellationToken ct)
    {
        List<object?> values = [];
        var users = await ReadAsync(Select(column, filter, values) + page.Sql(column, "id", values, key => key), values, ct);
        return page.Of(users.ConvertAll(FrontEndUser.Of), column, user => (user.UserId, column == Username ? user.Id : user.DisplayName));
    }

    /// <summary>What is null stays as it is.</summary>
    /// <exception cref="Failure">4002.</exception>
    public async Task<FeedbackUser> UpdateAsync(Guid userId, UserChange change, CancellationToken ct)
    {
        var changed = await source.ListAsync(
            Statement.Of($"""
                update feedback.user set
                  display_name = coalesce($2::text, display_name),
                    enabled = coalesce($3::boolean, enabled), notes = coalesce($4::text, notes),
                  show_on_leaderboard = coalesce($5::boolean, show_on_leaderboard),
                  tos_acceptance_date = case when $6 then $7 else tos_acceptance_date end
                where id = $1
                returning {UserStore.Columns}
                """,
                userId, change.DisplayName, change.Enabled, change.Notes, change.ShowOnLeaderboard, change.AcceptsTos, time.GetUtcNow()),
            row => UserStore.Read(row), ct);
        return changed is [var user] ? user : throw NotFound();
    }

    /// <summary>The name goes, the messages stay.</summary>
    /// <exception cref="Failure">4002.</exception>
    public async Task DeleteAsync(Guid userId, CancellationToken ct)
    {
        var deleted = await source.ExecuteAsync(
            Statement.Of("""
                update feedback.user
                set deleted = true, display_name = 'Deleted User', username = 'deleted_' || id, show_on_leaderboard = false
                where id = $1
                """, userId),
            ct);
        if (deleted == 0)
        {
            throw NotFound();
        }
    }

    public static Failure NotFound() => FeedbackCode.UserNotFound.Refusal("User not found");

    private async Task<FeedbackUser> OneAsync(string condition, CancellationToken ct, params object?[] values) =>
        await source.ListAsync(
            Statement.Of($"select {UserStore.Columns} from feedback.user where {condition}", values), row => UserStore.Read(row), ct)
            is [var user] ? user : throw NotFound();

    private Task<List<FeedbackUser>> ReadAsync(string sql, List<object?> values, CancellationToken ct) =>
        source.ListAsync(Statement.Of(sql, values.ToArray()), row => UserStore.Read(row), ct);

    private static string Select(string column, UserFilter filter, List<object?> values)
    {
        var sql = $"select {UserStore.Columns} from feedback.user where true";
        foreach (var (condition, value) in ((string, object?)[])[
            ("api_client_id = ", filter.ApiClientId), ("auth_method = ", filter.AuthMethod),
            ($"0 < strpos({column}, ", NullIfEmpty(filter.SearchText))])
        {
            if (value is not null)
            {
                values.Add(value);
                sql += $" and {condition}${values.Count}{(condition.EndsWith(", ", StringComparison.Ordinal) ? ")" : "")}";
            }
        }
        return sql;
    }

    private static string? NullIfEmpty(string? text) => text is { Length: > 0 } ? text : null;
}

/// <param name="AcceptsTos">Stamps the acceptance with now; false changes nothing.</param>
internal sealed record UserChange(
    string? DisplayName = null, bool? Enabled = null, string? Notes = null, bool? ShowOnLeaderboard = null, bool AcceptsTos = false)
{
    public bool IsNothing => this == new UserChange();
}
