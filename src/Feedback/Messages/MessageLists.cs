using Npgsql;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Users;
using Stoa.Feedback.Wire;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Messages;

/// <summary>Which messages.</summary>
internal sealed record MessageFilter
{
    /// <summary>Null for all clients: only where the caller is trusted.</summary>
    public Guid? ClientId { get; init; }

    public string? AuthMethod { get; init; }

    public string? Username { get; init; }

    public Guid? UserId { get; init; }

    public string? Lang { get; init; }

    public bool OnlyRoots { get; init; }

    public bool WithDeleted { get; init; }

    /// <summary>Inclusive.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Inclusive.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Words to find; only together with <see cref="Lang"/>.</summary>
    public string? Search { get; init; }

    public bool WithUser { get; init; }

    public bool IsDescending { get; init; }

    public int Most { get; init; } = 10;

    /// <summary>What the caller may see of what he asks for.</summary>
    /// <exception cref="Failure">403 code 2: another client's, and he is not trusted. 2012: half of a name.</exception>
    public MessageFilter For(ApiClient client)
    {
        if ((AuthMethod is null) != (Username is null) || AuthMethod is "" || Username is "")
        {
            throw FeedbackCode.AuthAndUsernameRequired.Refusal("Both the name and the way of signing in are needed");
        }
        return client.Trusted ? this
            : ClientId is null || ClientId == client.Id ? this with { ClientId = client.Id }
            : throw FeedbackCode.ApiClientNotAuthorized.Refusal("Another client's messages are not to be seen");
    }
}

/// <summary>Lists of messages by date, paged by key.</summary>
internal sealed class MessageLists(NpgsqlDataSource source)
{
    public async Task<IReadOnlyList<WireMessage>> ListAsync(MessageFilter filter, Guid? actingId, CancellationToken ct) =>
        await ReadAsync(filter, page: null, actingId, ct);

    public async Task<PageResult<WireMessage>> PageAsync(
        MessageFilter filter, string? before, string? after, Guid? actingId, CancellationToken ct)
    {
        var page = new CursorPage(Cursor.Parse(before), Cursor.Parse(after), filter.Most, filter.IsDescending);
        return page.Of(
            await ReadAsync(filter, page, actingId, ct), "created_date",
            message => (message.Id!.Value, WireValues.TextOf(message.CreatedDate!.Value)));
    }

    private async Task<List<WireMessage>> ReadAsync(MessageFilter filter, CursorPage? page, Guid? actingId, CancellationToken ct)
    {
        var (sql, values) = Query(filter, page, actingId);
        // Not prepared: filters make many different statements, and each would stay with its connection.
        await using var command = source.CreateCommand(sql);
        values.ForEach(value => command.Parameters.Add(new() { Value = value ?? DBNull.Value }));
        await using var row = await command.ExecuteReaderAsync(ct);
        List<WireMessage> messages = [];
        while (await row.ReadAsync(ct))
        {
            var hasUser = filter.WithUser && !await row.IsDBNullAsync(MessageRows.Width, ct);
            messages.Add(MessageRows.Read(row, actingId, hasUser ? FrontEndUser.Of(UserStore.Read(row, MessageRows.Width)) : null));
        }
        return messages;
    }

    private static (string Sql, List<object?> Values) Query(MessageFilter filter, CursorPage? page, Guid? actingId)
    {
        List<object?> values = [actingId];
        List<string> conditions = ["true"];
        string Value(object value)
        {
            values.Add(value);
            return $"${values.Count}";
        }
        void Where(object? value, Func<string, string> condition)
        {
            if (value is not null)
            {
                conditions.Add(condition(Value(value)));
            }
        }
        Where(filter.ClientId, value => $"m.api_client_id = {value}");
        Where(filter.UserId, value => $"m.user_id = {value}");
        if (filter.Username is { } name)
        {
            var client = filter.ClientId is { } id ? $" and api_client_id = {Value(id)}" : "";
            conditions.Add(
                $"m.user_id in (select id from feedback.user where username = {Value(name)} and auth_method = {Value(filter.AuthMethod!)}{client})");
        }
        Where(filter.Lang, value => $"m.lang = {value}");
        Where(filter.From, value => $"m.created_date >= {value}");
        Where(filter.To, value => $"m.created_date <= {value}");
        if (filter.OnlyRoots)
        {
            conditions.Add("m.parent_id is null");
        }
        if (!filter.WithDeleted)
        {
            conditions.Add("not m.deleted");
        }
        if (filter is { Search: { Length: > 0 } words, Lang: { Length: > 0 } lang })
        {
            conditions.Add($"m.search_vector @@ websearch_to_tsquery(feedback.words({Value(lang)}), {Value(WebSearch(words))})");
        }
        var where = string.Join(" and ", conditions);
        var rest = page is not null
            ? page.Sql("m.created_date", "m.id", values, key => WireValues.InstantOf(key))
            : $" order by m.created_date {(filter.IsDescending ? "desc" : "asc")}, m.id {(filter.IsDescending ? "desc" : "asc")} limit {Value(filter.Most)}";
        var sql = $"""
            select {MessageRows.Columns}{(filter.WithUser ? $", {UserColumns}" : "")}
            from feedback.message m {(filter.WithUser ? "left join feedback.user u on u.id = m.user_id" : "")}
            where {where}{rest}
            """;
        return (sql, values);
    }

    private static readonly string UserColumns = string.Join(", ", UserStore.Columns.Split(',').Select(column => $"u.{column.Trim()}"));

    /// <summary>The operators of PostgreSQL's own syntax, as a web search writes them.</summary>
    private static string WebSearch(string words) => words
        .Replace("&", " ", StringComparison.Ordinal).Replace("|", " or ", StringComparison.Ordinal)
        .Replace("!", " -", StringComparison.Ordinal);
}
