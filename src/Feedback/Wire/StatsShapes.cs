using System.Text.Json;
using System.Text.Json.Serialization;

namespace Stoa.Feedback.Wire;

internal sealed record SystemStats(int All, int Active, IReadOnlyDictionary<string, int> ActiveByLang, int Deleted, int MessageTrees);

internal sealed record UserScore(
    int? Rank, Guid UserId, bool Highlighted, string Username, string AuthMethod, string DisplayName, int LeaderScore, int Level,
    [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? BaseDate,
    [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? ModifiedDate,
    int Prompts, int RepliesAssistant, int RepliesPrompter, int LabelsSimple, int LabelsFull, int RankingsTotal, int RankingsGood,
    int AcceptedPrompts, int AcceptedRepliesAssistant, int AcceptedRepliesPrompter,
    [property: JsonPropertyName("reply_ranked_1")] int ReplyRanked1,
    [property: JsonPropertyName("reply_ranked_2")] int ReplyRanked2,
    [property: JsonPropertyName("reply_ranked_3")] int ReplyRanked3,
    [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? StreakLastDayDate, int? StreakDays,
    [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? LastActivityDate);

internal sealed record LeaderboardStats(
    string TimeFrame, [property: JsonConverter(typeof(WireInstant))] DateTimeOffset LastUpdated, IReadOnlyList<UserScore> Leaderboard);

/// <param name="LangMismach">Spelled so on the wire.</param>
internal sealed record TrollScore(
    int? Rank, Guid UserId, bool Highlighted, string Username, string AuthMethod, string DisplayName,
    [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? LastActivityDate, bool Enabled, bool Deleted, bool ShowOnLeaderboard,
    [property: JsonPropertyName("troll_score")] int Score,
    [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? BaseDate,
    [property: JsonConverter(typeof(WireInstant))] DateTimeOffset? ModifiedDate,
    int RedFlags, int Upvotes, int Downvotes, int SpamPrompts, double? Quality, double? Humor, double? Toxicity, double? Violence,
    double? Helpfulness, int Spam, int LangMismach, int NotAppropriate, int Pii, int HateSpeech, int SexualContent, int PoliticalContent);

internal sealed record TrollboardStats(
    string TimeFrame, [property: JsonConverter(typeof(WireInstant))] DateTimeOffset LastUpdated, IReadOnlyList<TrollScore> Trollboard);

internal sealed record CachedStatsResponse(
    string Name, [property: JsonConverter(typeof(WireInstant))] DateTimeOffset LastUpdated, JsonElement Stats);

internal sealed record AllCachedStatsResponse(IReadOnlyDictionary<string, CachedStatsResponse> StatsByName);

internal sealed record TreeMessageCountStats(
    Guid MessageTreeId, string State, int Depth, [property: JsonConverter(typeof(WireInstant))] DateTimeOffset Oldest,
    [property: JsonConverter(typeof(WireInstant))] DateTimeOffset Youngest, int Count, int GoalTreeSize);

internal sealed record TreeManagerStats(
    IReadOnlyDictionary<string, int> StateCounts, IReadOnlyList<TreeMessageCountStats> MessageCounts);

internal sealed record PurgeResultModel(SystemStats Before, SystemStats After, bool Preview, double Duration);

internal sealed record MergeUsersRequest(Guid DestinationUserId, IReadOnlyList<Guid> SourceUserIds)
{
    public static MergeUsersRequest Read(WireBody body) => new(body.Id("destination_user_id"), body.Ids("source_user_ids"));
}
