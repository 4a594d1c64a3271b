using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Assistants.Companies;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Executions;
using Stoa.Assistants.HomeChats;
using Stoa.Assistants.Languages;
using Stoa.Assistants.Messages;
using Stoa.Assistants.Privacy;
using Stoa.Assistants.ProducedTexts;
using Stoa.Assistants.Sessions;
using Stoa.Assistants.Tasks;
using Stoa.Assistants.Tools;
using Stoa.Assistants.Users;
using Stoa.Assistants.Workflows;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;
using Stoa.Platform.Privacy;

namespace Stoa.Assistants;

/// <summary>Users, what they do with the assistant, and what it says and writes for them.</summary>
internal static class WorkServices
{
    /// <param name="isScheduled">Whether the host does by itself what an original scheduler would call for.</param>
    public static void AddWork(this IServiceCollection services, bool isScheduled)
    {
        services.AddJson(WorkJson.Default);
        services.AddScoped<UserStore>();
        services.AddScoped<Accounts>();
        services.AddScoped<CompanyStore>();
        services.AddScoped<SessionStore>();
        services.AddScoped<UserTaskStore>();
        services.AddScoped<ExecutionStore>();
        services.AddScoped<ExecutionViews>();
        services.AddScoped<NewExecutions>();
        services.AddScoped<InputImages>();
        services.AddScoped<RunExecution>();
        services.AddScoped<WorkflowStore>();
        services.AddScoped<MessageStore>();
        services.AddSingleton<SpokenMessages>();
        services.AddScoped<UserMessages>();
        services.AddScoped<AnswerSubjects>();
        services.AddScoped<AnswerStore>();
        services.AddScoped<ProducedTextStore>();
        services.AddScoped<ProducedTextSearch>();
        services.AddScoped<HomeChatStore>();
        services.AddScoped(provider => new UserErasure(provider.GetRequiredService<AssistantsDb>()));
        services.AddScoped<IPersonalData, AssistantsData>();
        services.AddJob<AnswerMessages, AnswerMessagesCortex>(
            AnswerMessages.Kind, WorkJson.Default.AnswerMessages, CortexRules.Interactive);
        services.AddJob<EmbedProducedText, EmbedProducedTextHandler>(
            EmbedProducedText.Kind, WorkJson.Default.EmbedProducedText, CortexRules.Default);
        services.AddJob<RunStep, RunStepCortex>(RunStep.Kind, WorkJson.Default.RunStep, CortexRules.Interactive);
        services.AddJob<GreetUser, GreetUserCortex>(GreetUser.Kind, WorkJson.Default.GreetUser, CortexRules.Bulk);
        services.AddJob<ReportFailedWork, ReportFailedWorkHandler>(
            ReportFailedWork.Kind, WorkJson.Default.ReportFailedWork, ReportFailedWork.Rules);
        services.AddJob<PrepareHomeChats, PrepareHomeChatsHandler>(
            PrepareHomeChats.Kind, WorkJson.Default.PrepareHomeChats, ScheduleRules.Default);
        services.AddJob<RelaunchSteps, RelaunchStepsHandler>(RelaunchSteps.Kind, WorkJson.Default.RelaunchSteps, ScheduleRules.Default);
        services.AddSchedule(ReportFailedWork.Kind, new ReportFailedWork(), ReportFailedWork.Every);
        if (isScheduled)
        {
            services.AddSchedule(PrepareHomeChats.Kind, new PrepareHomeChats(), PrepareHomeChats.EachHour);
            services.AddSchedule(RelaunchSteps.Kind, new RelaunchSteps(), RelaunchSteps.Every);
        }
    }

    public static void MapWork(this IEndpointRouteBuilder surface)
    {
        surface.MapUsers();
        surface.MapLanguages();
        surface.MapCompanies();
        surface.MapSessions();
        surface.MapUserTasks();
        surface.MapExecutions();
        surface.MapMessages();
        surface.MapProducedTexts();
        surface.MapToolQueries();
        surface.MapHomeChats();
        surface.MapWorkflows();
    }
}
