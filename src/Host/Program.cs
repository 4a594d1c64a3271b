using Stoa.Assistants;
using Stoa.Feedback;
using Stoa.Gateway;
using Stoa.Learning;
using Stoa.Platform;

var builder = WebApplication.CreateSlimBuilder(args);
builder.AddPlatform().AddGateway().AddFeedback().AddLearning().AddAssistants();

var app = builder.Build();
app.UsePlatform();
app.MapGateway().MapFeedback().MapLearning().MapAssistants();
await app.RunAsync();
