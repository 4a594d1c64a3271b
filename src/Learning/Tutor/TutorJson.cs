using System.Text.Json.Serialization;
using Stoa.Learning.Chat;
using Stoa.Learning.Evaluations;
using Stoa.Learning.Generation;
using Stoa.Learning.ProviderKeys;

namespace Stoa.Learning.Tutor;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(AiChatRequest))]
[JsonSerializable(typeof(ChatApi.NewMessages))]
[JsonSerializable(typeof(List<ChatMessage>))]
[JsonSerializable(typeof(GradesApi.GradeChange))]
[JsonSerializable(typeof(List<GradeEntry>))]
[JsonSerializable(typeof(ProviderKeysApi.NewKey))]
[JsonSerializable(typeof(List<ProviderKeysApi.KeyView>))]
[JsonSerializable(typeof(GenerationApi.StructureRequest))]
[JsonSerializable(typeof(GenerationApi.TasksRequest))]
[JsonSerializable(typeof(GenerationApi.Started))]
[JsonSerializable(typeof(GenerateStructure))]
[JsonSerializable(typeof(GenerateTask))]
[JsonSerializable(typeof(SettleGeneration))]
internal sealed partial class TutorJson : JsonSerializerContext;
