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
    public Task<List<WireMessage>> ListAsync(MessageFilter filter, Guid? actingId, CancellationToken ct) =>
        ReadAsync(filter, before: null, after: null, isBackwards: false, filter.Most, actingId, ct);

    public async Task<PageResult<WireMessage>> PageAsync(
        MessageFilter filter, Cursor<DateTimeOffset>? before, Cursor<DateTimeOffset>? after, Guid? actingId, CancellationToken ct)
    {
        var isBackwards = before is not null && after is null;
        var most = before is not null && after is not null ? filter.Most : filter.Most + 1;
        var rows = await ReadAsync(filter, before, after, isBackwards, most, actingId, ct);
        if (isBackwards)
        {
            rows.Reverse();
        }
        return Cursors.Page(rows, filter.Most, before, after, filter.IsDescending, message => Cursors.Text(message.Id!.Value, message.CreatedDate!.Value));
    }

    private async Task<List<WireMessage>> ReadAsync(
        MessageFilter filter, Cursor<DateTimeOffset>? before, Cursor<DateTimeOffset>? after, bool isBackwards, int most, Guid? actingId, CancellationToken ct)
    {
        var (sql, values) = Query(filter, before, after, isBackwards, most, actingId);
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var batch = await Statement.BatchAsync(connection, ct, Statement.Of(sql, [.. values]));
        await using var row = await batch.ExecuteReaderAsync(ct);
        List<WireMessage> messages = [];
        while (await row.ReadAsync(ct))
        {
            var user = filter.WithUser && !await row.IsDBNullAsync(MessageRows.Width, ct) ? FrontEndUser.Of(UserStore.Read(row, MessageRows.Width)) : null;
            messages.Add(MessageRows.Read(row, actingId, user));
        }
        return messages;
    }

    private static (string Sql, List<object?> Values) Query(
        MessageFilter filter, Cursor<DateTimeOffset>? before, Cursor<DateTimeOffset>? after, bool isBackwards, int most, Guid? actingId)
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
            conditions.Add($"m.user_id in (select id from feedback.user where username = {Value(name)} and auth_method = {Value(filter.AuthMethod!)}{client})");
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
        conditions.Add(Beside(after, filter.IsDescending ? "<" : ">", Value));
        conditions.Add(Beside(before, filter.IsDescending ? ">" : "<", Value));
        var order = filter.IsDescending != isBackwards ? "desc" : "asc";
        var sql = $"""
            select {MessageRows.Columns}{(filter.WithUser ? $", {UserColumns}" : "")}
            from feedback.message m {(filter.WithUser ? "left join feedback.user u on u.id = m.user_id" : "")}
            where {string.Join(" and ", conditions)}
            order by m.created_date {order}, m.id {order} limit {Value(most)}
            """;
        return (sql, values);
    }

    private static readonly string UserColumns = string.Join(", ", UserStore.Columns.Split(',').Select(column => $"u.{column.Trim()}"));

    // Strict by key and id where the cursor names a row, inclusive on a bare key.
    private static string Beside(Cursor<DateTimeOffset>? cursor, string than, Func<object, string> value) => cursor switch
    {
        null => "true",
        { Id: { } id } => $"(m.created_date, m.id) {than} ({value(cursor.Key)}, {value(id)})",
        _ => $"m.created_date {than}= {value(cursor.Key)}",
    };

    /// <summary>The operators of PostgreSQL's own syntax, as a web search writes them.</summary>
    private static string WebSearch(string words) => words
        .Replace("&", " ", StringComparison.Ordinal).Replace("|", " or ", StringComparison.Ordinal).Replace("!", " -", StringComparison.Ordinal);
}
