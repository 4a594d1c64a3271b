using Npgsql;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Wire;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Feedback.Users;

/// <summary>The users of an API client: found by the name that the client knows, made when he is new.</summary>
internal sealed class UserStore(NpgsqlDataSource source, TimeProvider time)
{
    /// <summary>The columns that <see cref="Read"/> takes, in its order.</summary>
    public const string Columns = """
        id, username, auth_method, display_name, created_date, api_client_id, enabled, notes, deleted, show_on_leaderboard,
        streak_last_day_date, streak_days, last_activity_date, tos_acceptance_date
        """;

    /// <summary>How many columns there are.</summary>
    public const int Width = 14;

    private const string Find = $"select {Columns} from feedback.user where api_client_id = $1 and username = $2 and auth_method = $3";

    // One who came in between is given back by the update, which changes nothing.
    private const string Make = $"""
        insert into feedback.user as u (id, username, auth_method, display_name, created_date, api_client_id, streak_last_day_date)
        values ($4, $2, $3, $5, $6, $1, $6)
        on conflict (api_client_id, username, auth_method) do update set username = u.username
        returning {Columns}
        """;

    private const string Rename = $"update feedback.user set display_name = $2 where id = $1 returning {Columns}";

    public async Task<FeedbackUser?> FindAsync(Guid clientId, string username, string authMethod, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        return await OneAsync(connection, Statement.Of(Find, clientId, username, authMethod), ct);
    }

    /// <summary>For the header: the user must be there.</summary>
    /// <exception cref="Failure">4002.</exception>
    public async Task<FeedbackUser> RequireAsync(ApiClient client, ActingUser acting, CancellationToken ct) =>
        await FindAsync(client.Id, acting.Username, acting.AuthMethod, ct) ?? throw FeedbackCode.UserNotFound.Refusal("User not found");

    /// <summary>For the body: made when he is new, and given his new name to be shown.</summary>
    /// <exception cref="Failure">2012: half of his name is missing.</exception>
    public async Task<FeedbackUser> EnsureAsync(ApiClient client, User user, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        return await EnsureAsync(connection, client, user, ct);
    }

    /// <inheritdoc cref="EnsureAsync(ApiClient, User, CancellationToken)"/>
    public async Task<FeedbackUser> EnsureAsync(NpgsqlConnection connection, ApiClient client, User user, CancellationToken ct)
    {
        RequireName(user);
        var now = time.GetUtcNow();
        var known = await OneAsync(connection, Statement.Of(Find, client.Id, user.Id, user.AuthMethod), ct)
            ?? (await OneAsync(connection, Statement.Of(
                Make, client.Id, user.Id, user.AuthMethod, Guid.CreateVersion7(now), user.DisplayName, now), ct))!;
        return IsNamed(known, user)
            ? known
            : (await OneAsync(connection, Statement.Of(Rename, known.Id, user.DisplayName), ct))!;
    }

    /// <summary>The client calls him what we do.</summary>
    public static bool IsNamed(FeedbackUser known, User user) =>
        user.DisplayName.Length == 0 || user.DisplayName == known.DisplayName || known.Deleted;

    public static async Task<FeedbackUser?> ByIdAsync(NpgsqlConnection connection, Guid? id, CancellationToken ct) => id is null
        ? null
        : await OneAsync(connection, Statement.Of($"select {Columns} from feedback.user where id = $1", id), ct);

    /// <summary>
    /// The user <c>$1</c> to <c>$3</c>, by whom, name and way of signing in, takes part at <c>$4</c>: the days since his streak began are
    /// counted anew. What he does at the same time waits for this.
    /// </summary>
    public const string TakePart = $"""
        update feedback.user set last_activity_date = $4, last_active_day = ($4 at time zone 'UTC')::date,
          streak_days = case when streak_last_day_date <= $4 then floor(extract(epoch
            from $4 - streak_last_day_date) / 86400)::int else 0 end,
          streak_last_day_date = case when streak_last_day_date <= $4 then streak_last_day_date else $4 end
        where api_client_id = $1 and username = $2 and auth_method = $3
        returning {Columns}
        """;

    public static NpgsqlBatchCommand TakesPart(ApiClient client, User user, DateTimeOffset now) =>
        Statement.Of(TakePart, client.Id, user.Id, user.AuthMethod, now);

    /// <summary>Whom nobody keeps from taking part.</summary>
    /// <exception cref="Failure">4000, 4001 or 4003.</exception>
    public static FeedbackUser RequireEnabled(FeedbackUser? user, FeedbackOptions options) => user switch
    {
        null => throw FeedbackCode.UserNotSpecified.Refusal("No user was named"),
        { Deleted: true } or { Enabled: false } => throw Disabled(),
        { TosAcceptanceDate: null } when !options.IgnoreTosAcceptance => throw WithoutTerms(),
        _ => user,
    };

    public static Failure Disabled() => FeedbackCode.UserDisabled.Refusal("The user is disabled");

    public static Failure WithoutTerms() => FeedbackCode.UserHasNotAcceptedTos.Refusal("The user has not accepted the terms of service");

    /// <exception cref="Failure">2012: half of his name is missing.</exception>
    public static void RequireName(User user)
    {
        if (user.Id.Length == 0 || user.AuthMethod.Length == 0)
        {
            throw FeedbackCode.AuthAndUsernameRequired.Refusal("Both the name and the way of signing in are needed");
        }
    }

    public static FeedbackUser Read(NpgsqlDataReader row, int first = 0) => new()
    {
        Id = row.GetGuid(first),
        Username = row.GetString(first + 1),
        AuthMethod = row.GetString(first + 2),
        DisplayName = row.GetString(first + 3),
        CreatedDate = row.GetFieldValue<DateTimeOffset>(first + 4),
        ApiClientId = row.GetGuid(first + 5),
        Enabled = row.GetBoolean(first + 6),
        Notes = row.GetString(first + 7),
        Deleted = row.GetBoolean(first + 8),
        ShowOnLeaderboard = row.GetBoolean(first + 9),
        StreakLastDayDate = row.InstantOrNull(first + 10),
        StreakDays = row.Int32OrNull(first + 11),
        LastActivityDate = row.InstantOrNull(first + 12),
        TosAcceptanceDate = row.InstantOrNull(first + 13),
    };

    private static async Task<FeedbackUser?> OneAsync(NpgsqlConnection connection, NpgsqlBatchCommand statement, CancellationToken ct)
    {
        await using var batch = await Statement.BatchAsync(connection, ct, statement);
        await using var row = await batch.ExecuteReaderAsync(ct);
        return await row.ReadAsync(ct) ? Read(row) : null;
    }
}
