using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Prompts;
using Stoa.Gateway.Runs.Answers;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Gateway.Runs.FollowUps;
using Stoa.Gateway.Runs.Safety;
using Stoa.Gateway.Runs.Trials;
using Stoa.Gateway.RunTools;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Runs;

internal static class RunServices
{
    /// <summary>The pipeline of runs.</summary>
    public static IServiceCollection AddRuns(this IServiceCollection services)
    {
        services.AddSingleton<ServiceTargets>();
        services.AddSingleton<RunPlans>();
        services.AddSingleton<ThreadTurns>();
        services.AddHostedService(provider => provider.GetRequiredService<ThreadTurns>());
        services.AddSingleton<McpServers>();
        services.AddSingleton<WebCrawler>();
        services.AddHttpClient(WebCrawler.Client,
            client => (client.Timeout, client.MaxResponseContentBufferSize) = (Timeout.InfiniteTimeSpan, WebCrawler.MaxBytes))
            .RemoveAllLoggers().UseSocketsHttpHandler(static (handler, _) => handler.AllowAutoRedirect = false);
        services.AddSingleton<ToolMaking>();
        services.AddSingleton<ToolLoop>();
        services.AddSingleton<RunMeter>();
        services.AddSingleton<ModelSteps>();
        services.AddSingleton<AnswerCache>();
        services.AddSingleton<DrawnPictures>();
        services.AddSingleton<AnswerLoop>();
        services.AddSingleton<AnswerRepair>();
        services.AddSingleton<BuiltInAgents>();
        services.AddSingleton<SideRuns>();
        services.AddSingleton<HelperModels>();
        services.AddSingleton<OwnPrompts>();
        services.AddSingleton<TestCaseRuns>();
        services.AddSingleton<Guardrails>();
        services.AddSingleton<PreToolStep>();
        services.AddSingleton<IRunFollower, FollowUpJobs>();
        services.AddJob<FollowUp, FollowUpHandler>(FollowUp.Kind, GatewayJson.Default.FollowUp);
        services.AddJob<DescribeAgent, DescribeAgentHandler>(DescribeAgent.Kind, GatewayJson.Default.DescribeAgent, DescribeAgent.Rules);
        services.AddJob<ConfigureAgent, ConfigureAgentHandler>(
            ConfigureAgent.Kind, GatewayJson.Default.ConfigureAgent, DescribeAgent.Rules);
        services.AddSingleton<MediaRuns>();
        services.AddSingleton<RunFailures>();
        services.AddSingleton<RunLog>();
        services.AddSingleton<KeptAnswers>();
        services.AddSingleton<AgentRunner>();
        services.AddSingleton<AgentCompletions>();
        services.AddSingleton<RunLimits>();
        services.AddSingleton<RunsApi>();
        return services;
    }
}
