using System.Text.Json.Serialization;
using Stoa.Feedback.Auth;
using Stoa.Feedback.Tasks;
using Stoa.Feedback.Trees;
using Stoa.Feedback.Wire;

namespace Stoa.Feedback;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(ApiClientsApi.CreateApiClientRequest))]
[JsonSerializable(typeof(Dictionary<string, int>))]
[JsonSerializable(typeof(Dictionary<string, double>))]
[JsonSerializable(typeof(Dictionary<string, UserScore>))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, int>))]
[JsonSerializable(typeof(IReadOnlyList<WireMessage>))]
[JsonSerializable(typeof(IReadOnlyList<FrontEndUser>))]
[JsonSerializable(typeof(IReadOnlyList<FlaggedMessageResponse>))]
[JsonSerializable(typeof(IReadOnlyList<MessageRevision>))]
[JsonSerializable(typeof(IReadOnlyList<TreeMessageCountStats>))]
[JsonSerializable(typeof(PageResult<WireMessage>))]
[JsonSerializable(typeof(PageResult<FrontEndUser>))]
[JsonSerializable(typeof(PageResult<FlaggedMessageResponse>))]
[JsonSerializable(typeof(Conversation))]
[JsonSerializable(typeof(MessageTree))]
[JsonSerializable(typeof(MessageTreeStateResponse))]
[JsonSerializable(typeof(ValidLabelsResponse))]
[JsonSerializable(typeof(IReadOnlyList<LabelDescription>))]
[JsonSerializable(typeof(TaskDone))]
[JsonSerializable(typeof(InitialPromptTask))]
[JsonSerializable(typeof(PrompterReplyTask))]
[JsonSerializable(typeof(AssistantReplyTask))]
[JsonSerializable(typeof(RankRepliesTask))]
[JsonSerializable(typeof(LabelPromptTask))]
[JsonSerializable(typeof(LabelReplyTask))]
[JsonSerializable(typeof(DrawPrompts))]
[JsonSerializable(typeof(ActivateBacklog))]
[JsonSerializable(typeof(ModerateMessage))]
[JsonSerializable(typeof(TidyTasks))]
[JsonSerializable(typeof(SystemStats))]
[JsonSerializable(typeof(UserScore))]
[JsonSerializable(typeof(LeaderboardStats))]
[JsonSerializable(typeof(TrollboardStats))]
[JsonSerializable(typeof(CachedStatsResponse))]
[JsonSerializable(typeof(AllCachedStatsResponse))]
[JsonSerializable(typeof(TreeManagerStats))]
[JsonSerializable(typeof(PurgeResultModel))]
internal sealed partial class FeedbackJson : JsonSerializerContext;
