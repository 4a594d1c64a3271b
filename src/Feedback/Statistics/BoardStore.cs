using Npgsql;
using Stoa.Feedback.Wire;
using Stoa.Platform.Data;

namespace Stoa.Feedback.Statistics;

/// <summary>Reads the boards as they were last computed.</summary>
internal sealed class BoardStore(NpgsqlDataSource source, TimeProvider time)
{
    private const string Scores = """
        select rank, stats.user_id, username, auth_method, display_name, leader_score, base_date, modified_date, prompts, replies_assistant,
          replies_prompter, labels_simple, labels_full, rankings_total, rankings_good, accepted_prompts, accepted_replies_assistant,
          accepted_replies_prompter, reply_ranked_1, reply_ranked_2, reply_ranked_3, streak_last_day_date, streak_days, last_activity_date,
          time_frame
        from feedback.user_stats as stats join feedback.user on id = stats.user_id
        """;

    private const string TrollScores = """
        select rank, stats.user_id, username, auth_method, display_name, last_activity_date, enabled, deleted,
          show_on_leaderboard, troll_score,
          base_date, modified_date, red_flags, upvotes, downvotes, spam_prompts, quality, humor, toxicity, violence, helpfulness, spam,
          lang_mismach, not_appropriate, pii, hate_speech, sexual_content, political_content
        from feedback.troll_stats as stats join feedback.user on id = stats.user_id
        """;

    public async Task<LeaderboardStats> LeadersAsync(TimeFrame frame, int most, Guid? highlighted, CancellationToken ct) => Board(
        frame,
        await ReadAsync(
            $"{Scores} where time_frame = $1 and rank is not null and show_on_leaderboard and enabled order by rank limit $2",
            [EnumNames<TimeFrame>.Write(frame), most], row => Score(row, highlighted), ct));

    /// <summary>Those around a user; null when he is hidden, disabled or without a rank.</summary>
    public async Task<LeaderboardStats?> WindowAsync(Guid userId, TimeFrame frame, int size, CancellationToken ct)
    {
        var around = await ReadAsync($"""
            {Scores}
            where time_frame = $1 and show_on_leaderboard and enabled and rank between
              (select greatest(0, rank - $3 / 2) from feedback.user_stats where time_frame = $1 and user_id = $2) and
              (select greatest(0, rank - $3 / 2) + $3 from feedback.user_stats where time_frame = $1 and user_id = $2)
            order by rank
            """, [EnumNames<TimeFrame>.Write(frame), userId, size], row => Score(row, userId), ct);
        return around.Exists(score => score.UserId == userId) ? Board(frame, around) : null;
    }

    /// <summary>
    /// His own figures by frame. Nobody's are none; one who has not done anything yet has zeros in all frames; else the frames are those in
    /// which he has done something.
    /// </summary>
    public async Task<Dictionary<string, UserScore>> OfUserAsync(Guid userId, CancellationToken ct)
    {
        var scores = await ReadAsync(
            $"{Scores} where stats.user_id = $1", [userId], row => (Frame: row.GetString(24), Score: Score(row, userId)), ct);
        if (scores.Count > 0)
        {
            return scores.OrderBy(one => EnumNames<TimeFrame>.Read(one.Frame))
                .ToDictionary(one => one.Frame, one => one.Score, StringComparer.Ordinal);
        }
        var nothing = await ReadAsync(
            "select username, auth_method, display_name, streak_last_day_date, streak_days, last_activity_date from feedback.user where id = $1",
            [userId],
            row => new UserScore(
                null, userId, true, row.GetString(0), row.GetString(1), row.GetString(2), 0, 0, null, null,
                0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, row.InstantOrNull(3), row.Int32OrNull(4), row.InstantOrNull(5)),
            ct);
        return nothing.SelectMany(score => Enum.GetValues<TimeFrame>().Select(frame => (EnumNames<TimeFrame>.Write(frame), score)))
            .ToDictionary();
    }

    public async Task<TrollboardStats> TrollsAsync(TimeFrame frame, int most, bool? enabled, CancellationToken ct)
    {
        var trolls = await ReadAsync(
            $"{TrollScores} where time_frame = $1 {(enabled is null ? "" : "and enabled = $3")} order by rank limit $2",
            enabled is { } wanted ? [EnumNames<TimeFrame>.Write(frame), most, wanted] : [EnumNames<TimeFrame>.Write(frame), most],
            Troll, ct);
        return new(EnumNames<TimeFrame>.Write(frame), trolls.Max(troll => troll.ModifiedDate) ?? time.GetUtcNow(), trolls);
    }

    private LeaderboardStats Board(TimeFrame frame, List<UserScore> scores) =>
        new(EnumNames<TimeFrame>.Write(frame), scores.Max(score => score.ModifiedDate) ?? time.GetUtcNow(), scores);

    private static UserScore Score(NpgsqlDataReader row, Guid? highlighted) => new(
        row.Int32OrNull(0), row.GetGuid(1), row.GetGuid(1) == highlighted, row.GetString(2), row.GetString(3), row.GetString(4),
        row.GetInt32(5), Level.Of(row.GetInt32(5)), row.InstantOrNull(6), row.InstantOrNull(7), row.GetInt32(8), row.GetInt32(9),
        row.GetInt32(10), row.GetInt32(11),
        row.GetInt32(12), row.GetInt32(13), row.GetInt32(14), row.GetInt32(15), row.GetInt32(16), row.GetInt32(17), row.GetInt32(18),
        row.GetInt32(19), row.GetInt32(20), row.InstantOrNull(21), row.Int32OrNull(22), row.InstantOrNull(23));

    private static TrollScore Troll(NpgsqlDataReader row) => new(
        row.Int32OrNull(0), row.GetGuid(1), false, row.GetString(2), row.GetString(3), row.GetString(4), row.InstantOrNull(5),
        row.GetBoolean(6), row.GetBoolean(7), row.GetBoolean(8), row.GetInt32(9), row.InstantOrNull(10), row.InstantOrNull(11),
        row.GetInt32(12), row.GetInt32(13),
        row.GetInt32(14), row.GetInt32(15), Mean(row, 16), Mean(row, 17), Mean(row, 18), Mean(row, 19), Mean(row, 20), row.GetInt32(21),
        row.GetInt32(22), row.GetInt32(23), row.GetInt32(24), row.GetInt32(25), row.GetInt32(26), row.GetInt32(27));

    private static double? Mean(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetDouble(column);

    private Task<List<T>> ReadAsync<T>(string sql, object[] values, Func<NpgsqlDataReader, T> read, CancellationToken ct) =>
        source.ListAsync(Statement.Of(sql, values), read, ct);
}
