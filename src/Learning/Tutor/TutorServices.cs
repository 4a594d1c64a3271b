using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Learning.Chat;
using Stoa.Learning.Evaluations;
using Stoa.Learning.Generation;
using Stoa.Learning.ProviderKeys;
using Stoa.Learning.Submissions;
using Stoa.Platform;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;

namespace Stoa.Learning.Tutor;

/// <summary>
/// The side of the module that models work for: the tutor, conversations with it and what people make of its grades, courses made of
/// documents.
/// </summary>
internal static class TutorServices
{
    public static void AddTutor(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddJson(TutorJson.Default);
        services.AddSettings<TutorOptions>(TutorOptions.Section);
        services.AddSettings<LearningModelOptions>(LearningModelOptions.Section);
        services.AddSingleton<TutorPrompts>();
        services.AddSingleton<TutorLimits>();
        services.AddSingleton<ModelPlans>();
        services.AddSingleton<TutorPreparation>();
        services.AddSingleton<ArchiveCache>();
        services.AddScoped<SubmissionStore>();
        services.AddScoped<TutorStore>();
        services.AddScoped<TutorTurns>();
        services.AddScoped<TutorAsks>();
        services.AddScoped<TutorAnswers>();
        services.AddScoped<EvaluationLog>();
        services.AddScoped<GradeStore>();
        services.AddScoped<ChatStore>();

        services.AddSettings<GenerationOptions>(GenerationOptions.Section);
        services.AddSingleton<GenerationEvents>();
        services.AddHostedService(provider => provider.GetRequiredService<GenerationEvents>());
        services.AddScoped<ReferenceMaterial>();
        services.AddScoped<GenerationStarts>();
        services.AddScoped<CourseWriter>();
        services.AddScoped<TaskContents>();
        services.AddJob<GenerateStructure, GenerateStructureHandler>(
            GenerateStructure.Kind, TutorJson.Default.GenerateStructure, GenerateStructureHandler.Rules);
        services.AddJob<GenerateTask, GenerateTaskHandler>(GenerateTask.Kind, TutorJson.Default.GenerateTask, GenerateTaskHandler.Rules);
        services.AddJob<SettleGeneration, SettleGenerationHandler>(
            SettleGeneration.Kind, TutorJson.Default.SettleGeneration, SettleGeneration.Rules);
        services.AddSchedule(SettleGeneration.Kind, new SettleGeneration(), SettleGeneration.Every);
    }

    public static void MapTutorRoutes(this IEndpointRouteBuilder surface)
    {
        surface.MapTutor();
        surface.MapChat();
        surface.MapGrades();
        surface.MapGeneration();
        surface.MapProviderKeys();
    }
}
