using System.Text.Json;
using System.Text.Json.Serialization;
using Stoa.Assistants.Companies;
using Stoa.Assistants.Executions;
using Stoa.Assistants.HomeChats;
using Stoa.Assistants.Languages;
using Stoa.Assistants.Messages;
using Stoa.Assistants.ProducedTexts;
using Stoa.Assistants.Sessions;
using Stoa.Assistants.Tasks;
using Stoa.Assistants.Tools;
using Stoa.Assistants.Users;
using Stoa.Assistants.Wire;
using Stoa.Assistants.Workflows;

namespace Stoa.Assistants;

/// <summary>What the routes of <see cref="WorkServices"/> answer, and its jobs.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(Success))]
[JsonSerializable(typeof(SuccessText))]
[JsonSerializable(typeof(UsersApi.LoggedIn))]
[JsonSerializable(typeof(LanguagesApi.InterfaceWords))]
[JsonSerializable(typeof(CompaniesApi.CompanyView))]
[JsonSerializable(typeof(SessionsApi.CreatedSession))]
[JsonSerializable(typeof(SessionsApi.NamedSession))]
[JsonSerializable(typeof(SessionsApi.SessionList))]
[JsonSerializable(typeof(UserTasksApi.UserTaskList))]
[JsonSerializable(typeof(ExecutionsApi.CreatedExecution))]
[JsonSerializable(typeof(ExecutionsApi.ExecutionList))]
[JsonSerializable(typeof(ExecutionsApi.EndedExecution))]
[JsonSerializable(typeof(ExecutionsApi.DeletedExecution))]
[JsonSerializable(typeof(VersionView))]
[JsonSerializable(typeof(MessagesApi.MessageList))]
[JsonSerializable(typeof(MessagesApi.SaidMessage))]
[JsonSerializable(typeof(ProducedTextsApi.ProducedTextList))]
[JsonSerializable(typeof(ProducedTextsApi.SavedVersion))]
[JsonSerializable(typeof(ProducedTextsApi.DeletedText))]
[JsonSerializable(typeof(ProducedTextsApi.RetrievedTexts))]
[JsonSerializable(typeof(ToolQueriesApi.ToolQuery))]
[JsonSerializable(typeof(HomeChatsApi.Prepared))]
[JsonSerializable(typeof(WorkflowsApi.RelaunchedSteps))]
[JsonSerializable(typeof(AnswerMessages))]
[JsonSerializable(typeof(EmbedProducedText))]
[JsonSerializable(typeof(RunStep))]
[JsonSerializable(typeof(GreetUser))]
[JsonSerializable(typeof(ReportFailedWork))]
[JsonSerializable(typeof(PrepareHomeChats))]
[JsonSerializable(typeof(RelaunchSteps))]
internal sealed partial class WorkJson : JsonSerializerContext;
