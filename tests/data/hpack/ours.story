story our encoder
block 83860491626b0a54af8ac29525b18dc3f58cb4507f418f9ac29525b172f91d35d05b8d800d8740027465864d833505b11f5f8b1d75d0620d263d4c4d65647a8749ea311802e16b408e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c7cacbaebf1beecad0dd205bf0086f2b543a4ab0385ee3a2d2a80900085f2b507aa6f00
field :method	POST
field :scheme	http
field :path	/greet.Greeter/SayHello
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	9e3779b97f4a7c15
field x-name-0	value 0
field accept-encoding	gzip, deflate
field x-long	
block 880f0d013040889acac8b21234da8f0130
field :status	200
field content-length	0
field grpc-status	0
block 8386048c60941c9d57bd41c9d58d27f1c3c2c1c0bf1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c648e16565d14a57da95e10ff0086f2b543a4ab0785ee3a2d2a8150839bd9ab0085f2b507aa6f0f30313233343536373839207b7c7d7e
field :method	POST
field :scheme	http
field :path	/clock.Clock/Now
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	3c6ef372fe94f82a
field x-name-1	value 1
field accept-encoding	gzip
field x-long	0123456789 {|}~
block 8d0f0d0131bf
field :status	404
field content-length	1
field grpc-status	0
setting 0
block 20838684018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c906371c904476492575a665f0086f2b543a4ab0b85ee3a2d2a82900085f2b507aa6f9e0044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7
field :method	POST
field :scheme	http
field :path	/
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	daa66d2c7ddf743f
field x-name-2	value 2
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~
block 08033330370f0d013200889acac8b21234da8f0130
field :status	307
field content-length	2
field grpc-status	0
block 83860491626b0a54af8ac29525b18dc3f58cb4507f018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c75e9242b856e5904fca06daf0086f2b543a4ab3385ee3a2d2a800f01839bd9ab0085f2b507aa6fad0044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd
field :method	POST
field :scheme	http
field :path	/greet.Greeter/SayHello
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	78dde6e5fd29f054
field x-name-3	value 0
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 08033431380f0d013300889acac8b21234da8f0130
field :status	418
field content-length	3
field grpc-status	0
setting 120
block 3f598386448c60941c9d57bd41c9d58d27f1018f9ac29525b172f91d35d05b8d800d8740027465864d833505b11f5f8b1d75d0620d263d4c4d65647a8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c0ba16dc03f2ba475a708e3ff0086f2b543a4ab0385ee3a2d2a81900085f2b507aa6fbd0044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7f
field :method	POST
field :scheme	http
field :path	/clock.Clock/Now
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	1715609f7c746c69
field x-name-0	value 1
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 880f0d013440889acac8b21234da8f0130
field :status	200
field content-length	4
field grpc-status	0
setting 300
block 3f8d02838684418f9ac29525b172f91d35d05b8d800d8740027465864d833505b11f5f8b1d75d0620d263d4c4d6564c2408e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c8db68920db7a58e3295e74bf0086f2b543a4ab0785ee3a2d2a8250839bd9ab0085f2b507aa6fcc0044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffdf
field :method	POST
field :scheme	http
field :path	/
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	b54cda58fbbee87e
field x-name-1	value 2
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 8d0f0d013540889acac8b21234da8f0130
field :status	404
field content-length	5
field grpc-status	0
setting 4096
block 3fe11f83864491626b0a54af8ac29525b18dc3f58cb4507f418f9ac29525b172f91d35d05b8d800d87c4c37a8749ea311802e16bc31088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c6d979a6da089d8c0fb8d3ecf0086f2b543a4ab0b85ee3a2d2a80900085f2b507aa6fdb0044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7
field :method	POST
field :scheme	http
field :path	/greet.Greeter/SayHello
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	538454127b096493
field x-name-2	value 0
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 48033330370f0d0136c2
field :status	307
field content-length	6
field grpc-status	0
block 8386448c60941c9d57bd41c9d58d27f1c1c7c6c0c51088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c9431c649091ca36d92806f7f0086f2b543a4ab3385ee3a2d2a81c40085f2b507aa6fea0044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd
field :method	POST
field :scheme	http
field :path	/clock.Clock/Now
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	f1bbcdcbfa53e0a8
field x-name-3	value 1
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 48033431380f0d0137c4
field :status	418
field content-length	7
field grpc-status	0
setting 65536
block 3fe13f838684c2c8c7c1c61088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c7a595969d79b75f7cad923930086f2b543a4ab0385ee3a2d2a82900085f2b507aa6ffa0044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7f
field :method	POST
field :scheme	http
field :path	/
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	8ff34785799e5cbd
field x-name-0	value 2
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 880f0d0138c4
field :status	200
field content-length	8
field grpc-status	0
setting 64
block 3f2183860491626b0a54af8ac29525b18dc3f58cb4507f018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278b1144320592caf15e91e9050086f2b543a4ab0785ee3a2d2a800f01839bd9ab0085f2b507aa6fff0a0044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffdf
field :method	POST
field :scheme	http
field :path	/greet.Greeter/SayHello
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	2e2ac13ef8e8d8d2
field x-name-1	value 0
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 8d0f0d013900889acac8b21234da8f0130
field :status	404
field content-length	9
field grpc-status	0
block 8386048c60941c9d57bd41c9d58d27f1018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c211c132395e75e6596da2bbf0086f2b543a4ab0b85ee3a2d2a81900085f2b507aa6fff190044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7
field :method	POST
field :scheme	http
field :path	/clock.Clock/Now
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	cc623af8783354e7
field x-name-2	value 1
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 08033330370f0d02313000889acac8b21234da8f0130
field :status	307
field content-length	10
field grpc-status	0
block 838684018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c706fbf1b5186575d92404a4f0086f2b543a4ab3385ee3a2d2a820f01839bd9ab0085f2b507aa6fff280044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd
field :method	POST
field :scheme	http
field :path	/
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	6a99b4b1f77dd0fc
field x-name-3	value 2
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block be0f0d02313100889acac8b21234da8f0130
field :status	418
field content-length	11
field grpc-status	0
setting 0
block 2083860491626b0a54af8ac29525b18dc3f58cb4507f018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c03d2044572375c23cd4810ff0086f2b543a4ab0385ee3a2d2a80900085f2b507aa6fff380044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7f
field :method	POST
field :scheme	http
field :path	/greet.Greeter/SayHello
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	08d12e6b76c84d11
field x-name-0	value 0
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 880f0d02313200889acac8b21234da8f0130
field :status	200
field content-length	12
field grpc-status	0
block 8386048c60941c9d57bd41c9d58d27f1018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278b1ba0786f09a95c0888f89c0086f2b543a4ab0785ee3a2d2a810f01839bd9ab0085f2b507aa6fff470044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffdf
field :method	POST
field :scheme	http
field :path	/clock.Clock/Now
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	a708a824f612c926
field x-name-1	value 1
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 8d0f0d02313300889acac8b21234da8f0130
field :status	404
field content-length	13
field grpc-status	0
setting 120
block 3f59838684018f9ac29525b172f91d35d05b8d800d8740027465864d833505b11f5f8b1d75d0620d263d4c4d65647a8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c69b68020c8575b6e469b663f0086f2b543a4ab0b85ee3a2d2a82900085f2b507aa6fff560044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7
field :method	POST
field :scheme	http
field :path	/
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	454021de755d453b
field x-name-2	value 2
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 48033330370f0d02313440889acac8b21234da8f0130
field :status	307
field content-length	14
field grpc-status	0
setting 300
block 3f8d0283864491626b0a54af8ac29525b18dc3f58cb4507f418f9ac29525b172f91d35d05b8d800d8740027465864d833505b11f5f8b1d75d0620d263d4c4d65647a8749ea311802e16b408e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c2b2ebafc6fbb2b4374816c1f0086f2b543a4ab3385ee3a2d2a8050839bd9ab0085f2b507aa6fff650044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd
field :method	POST
field :scheme	http
field :path	/greet.Greeter/SayHello
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	e3779b97f4a7c150
field x-name-3	value 0
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 48033431380f0d02313540889acac8b21234da8f0130
field :status	418
field content-length	15
field grpc-status	0
setting 4096
block 3fe11f8386448c60941c9d57bd41c9d58d27f1418f9ac29525b172f91d35d05b8d800d8740027465864d833505b11f5f8b1d75d0620d263d4c4d6564c6c51088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c7823942db61759944cc8e37f0086f2b543a4ab0385ee3a2d2a81900085f2b507aa6fff750044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7f
field :method	POST
field :scheme	http
field :path	/clock.Clock/Now
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	81af155173f23d65
field x-name-0	value 1
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 880f0d023136c2
field :status	200
field content-length	16
field grpc-status	0
block 838684c0bfbec6c51088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c0ca571e94039596491bee8ff0086f2b543a4ab0785ee3a2d2a82c40085f2b507aa6fff84010044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffdf
field :method	POST
field :scheme	http
field :path	/
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	1fe68f0af33cb97a
field x-name-1	value 2
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 8d0f0d023137c2
field :status	404
field content-length	17
field grpc-status	0
setting 65536
block 3fe13f83864491626b0a54af8ac29525b18dc3f58cb4507fc1c0bfc7c61088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c8ca1281e234e89e7596de97f0086f2b543a4ab0b85ee3a2d2a80900085f2b507aa6fff93010044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7
field :method	POST
field :scheme	http
field :path	/greet.Greeter/SayHello
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	be1e08c47287358f
field x-name-2	value 0
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 48033330370f0d023138c4
field :status	307
field content-length	18
field grpc-status	0
setting 64
block 3f218386048c60941c9d57bd41c9d58d27f1018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c6c8db6f09d9250c818c236bf0086f2b543a4ab3385ee3a2d2a810f01839bd9ab0085f2b507aa6fffa2010044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd
field :method	POST
field :scheme	http
field :path	/clock.Clock/Now
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	5c55827df1d1b1a4
field x-name-3	value 1
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 08033431380f0d02313900889acac8b21234da8f0130
field :status	418
field content-length	19
field grpc-status	0
block 838684018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c946f125232eba10905246fff0086f2b543a4ab0385ee3a2d2a82900085f2b507aa6fffb2010044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7f
field :method	POST
field :scheme	http
field :path	/
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	fa8cfc37711c2db9
field x-name-0	value 2
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 880f0d02323000889acac8b21234da8f0130
field :status	200
field content-length	20
field grpc-status	0
block 83860491626b0a54af8ac29525b18dc3f58cb4507f018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c7de234eb72825038e0df217f0086f2b543a4ab0785ee3a2d2a800f01839bd9ab0085f2b507aa6fffc1010044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffdf
field :method	POST
field :scheme	http
field :path	/greet.Greeter/SayHello
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	98c475f0f066a9ce
field x-name-1	value 0
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 8d0f0d02323100889acac8b21234da8f0130
field :status	404
field content-length	21
field grpc-status	0
setting 0
block 208386048c60941c9d57bd41c9d58d27f1018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c65c9632ca31b92c61136567f0086f2b543a4ab0b85ee3a2d2a81900085f2b507aa6fffd0010044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7
field :method	POST
field :scheme	http
field :path	/clock.Clock/Now
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	36fbefaa6fb125e3
field x-name-2	value 1
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 08033330370f0d02323200889acac8b21234da8f0130
field :status	307
field content-length	22
field grpc-status	0
block 838684018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c91b65971f71929658c6195ef0086f2b543a4ab3385ee3a2d2a820f01839bd9ab0085f2b507aa6fffdf010044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd
field :method	POST
field :scheme	http
field :path	/
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	d5336963eefba1f8
field x-name-3	value 2
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 08033431380f0d02323300889acac8b21234da8f0130
field :status	418
field content-length	23
field grpc-status	0
setting 120
block 3f5983864491626b0a54af8ac29525b18dc3f58cb4507f018f9ac29525b172f91d35d05b8d800d8740027465864d833505b11f5f8b1d75d0620d263d4c4d65647a8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c7597065643238569c094127f0086f2b543a4ab0385ee3a2d2a80900085f2b507aa6fffef010044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7f
field :method	POST
field :scheme	http
field :path	/greet.Greeter/SayHello
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	736ae31d6e461e0d
field x-name-0	value 0
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 880f0d02323440889acac8b21234da8f0130
field :status	200
field content-length	24
field grpc-status	0
setting 300
block 3f8d028386448c60941c9d57bd41c9d58d27f1418f9ac29525b172f91d35d05b8d800d8740027465864d833505b11f5f8b1d75d0620d263d4c4d65647a8749ea311802e16b408e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278b084626c9238591f03e310b0086f2b543a4ab0785ee3a2d2a8150839bd9ab0085f2b507aa6ffffe010044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffdf
field :method	POST
field :scheme	http
field :path	/clock.Clock/Now
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	11a25cd6ed909a22
field x-name-1	value 1
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 8d0f0d02323540889acac8b21234da8f0130
field :status	404
field content-length	25
field grpc-status	0
setting 4096
block 3fe11f838684418f9ac29525b172f91d35d05b8d800d8740027465864d833505b11fc4c3c21088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c1cb23f238f81c249185c65df0086f2b543a4ab0b85ee3a2d2a82900085f2b507aa6fff8d020044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7
field :method	POST
field :scheme	http
field :path	/
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	afd9d6906cdb1637
field x-name-2	value 2
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 48033330370f0d023236c1
field :status	307
field content-length	26
field grpc-status	0
block 83864491626b0a54af8ac29525b18dc3f58cb4507fc1c0c6c5c41088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278b68a10b6069f2904dbe26894086f2b543a4ab3385ee3a2d2a80c40085f2b507aa6fff9c020044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd
field :method	POST
field :scheme	http
field :path	/greet.Greeter/SayHello
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	4e115049ec25924c
field x-name-3	value 0
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 48033431380f0d023237c4
field :status	418
field content-length	27
field grpc-status	0
setting 65536
block 3fe13f8386448c60941c9d57bd41c9d58d27f1c4c3c9c8c71088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278b291a7883032e46e80057030086f2b543a4ab0385ee3a2d2a81900085f2b507aa6fffac020044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7f
field :method	POST
field :scheme	http
field :path	/clock.Clock/Now
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	ec48ca036b700e61
field x-name-0	value 1
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 880f0d023238c5
field :status	200
field content-length	28
field grpc-status	0
setting 64
block 3f21838684018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c786f01a663214718de1bae7f0086f2b543a4ab0785ee3a2d2a820f01839bd9ab0085f2b507aa6fffbb020044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffdf
field :method	POST
field :scheme	http
field :path	/
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	8a8043bceaba8a76
field x-name-1	value 2
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 8d0f0d02323900889acac8b21234da8f0130
field :status	404
field content-length	29
field grpc-status	0
block 83860491626b0a54af8ac29525b18dc3f58cb4507f018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c13d1bb1c8eb8e0c0d81c7a3f0086f2b543a4ab0b85ee3a2d2a80900085f2b507aa6fffca020044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7
field :method	POST
field :scheme	http
field :path	/greet.Greeter/SayHello
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	28b7bd766a05068b
field x-name-2	value 0
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 08033330370f0d02333000889acac8b21234da8f0130
field :status	307
field content-length	30
field grpc-status	0
block 8386be018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c2385959745295f6a5784307f0086f2b543a4ab3385ee3a2d2a810f01839bd9ab0085f2b507aa6fffd9020044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd
field :method	POST
field :scheme	http
field :path	/clock.Clock/Now
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	c6ef372fe94f82a0
field x-name-3	value 1
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 08033431380f0d02333100889acac8b21234da8f0130
field :status	418
field content-length	31
field grpc-status	0
setting 0
block 20838684018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c71b139180afb8f3efca58dbf0086f2b543a4ab0385ee3a2d2a82900085f2b507aa6fffe9020044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7f
field :method	POST
field :scheme	http
field :path	/
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	6526b0e96899feb5
field x-name-0	value 2
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 880f0d02333200889acac8b21234da8f0130
field :status	200
field content-length	32
field grpc-status	0
block 83860491626b0a54af8ac29525b18dc3f58cb4507f018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278b032d9443188ae95a74641f0086f2b543a4ab0785ee3a2d2a800f01839bd9ab0085f2b507aa6ffff8020044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffdf
field :method	POST
field :scheme	http
field :path	/greet.Greeter/SayHello
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	035e2aa2e7e47aca
field x-name-1	value 0
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 8d0f0d02333300889acac8b21234da8f0130
field :status	404
field content-length	33
field grpc-status	0
setting 120
block 3f598386448c60941c9d57bd41c9d58d27f1018f9ac29525b172f91d35d05b8d800d8740027465864d833505b11f5f8b1d75d0620d263d4c4d65647a8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c185f6c6d36471d116572497f0086f2b543a4ab0b85ee3a2d2a81900085f2b507aa6fff87030044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7
field :method	POST
field :scheme	http
field :path	/clock.Clock/Now
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	a195a45c672ef6df
field x-name-2	value 1
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 48033330370f0d02333440889acac8b21234da8f0130
field :status	307
field content-length	34
field grpc-status	0
setting 300
block 3f8d02838684418f9ac29525b172f91d35d05b8d800d8740027465864d833505b11f5f8b1d75d0620d263d4c4d65647a8749ea311802e16b408e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c6652481285b2b8ebee8a56bf0086f2b543a4ab3385ee3a2d2a8250839bd9ab0085f2b507aa6fff96030044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd
field :method	POST
field :scheme	http
field :path	/
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	3fcd1e15e67972f4
field x-name-3	value 2
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 48033431380f0d02333540889acac8b21234da8f0130
field :status	418
field content-length	35
field grpc-status	0
setting 4096
block 3fe11f83864491626b0a54af8ac29525b18dc3f58cb4507f418f9ac29525b172f91d35d05b8d800d8740027465864d833505b11f5f8b1d75d0620d263d4c4d6564c6c51088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c90a069f7492b8d9192ca07ff0086f2b543a4ab0385ee3a2d2a80900085f2b507aa6fffa6030044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7f
field :method	POST
field :scheme	http
field :path	/greet.Greeter/SayHello
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	de0497cf65c3ef09
field x-name-0	value 0
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 880f0d023336c2
field :status	200
field content-length	36
field grpc-status	0
block 8386448c60941c9d57bd41c9d58d27f1c1c0bfc7c61088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278b748c902179e2b602b9184b4086f2b543a4ab0785ee3a2d2a81c60085f2b507aa6fffb5030044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffdf
field :method	POST
field :scheme	http
field :path	/clock.Clock/Now
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	7c3c1188e50e6b1e
field x-name-1	value 1
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 8d0f0d023337c4
field :status	404
field content-length	37
field grpc-status	0
setting 65536
block 3fe13f838684c2c1c0c8c71088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c08dd65e8da138d36f15d659f4086f2b543a4ab0b85ee3a2d2a82900085f2b507aa6fffc4030044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff7
field :method	POST
field :scheme	http
field :path	/
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	1a738b426458e733
field x-name-2	value 2
field accept-encoding	gzip, deflate
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 48033330370f0d023338c6
field :status	307
field content-length	38
field grpc-status	0
setting 64
block 3f2183860491626b0a54af8ac29525b18dc3f58cb4507f018f9ac29525b172f91d35d05b8d800d8700027465864d833505b11f0f108b1d75d0620d263d4c4d65640f2b8749ea311802e16b008e9acac8b0c842d6958b510f21aa9b903485a9264fafa90b2d03497ea6f66aff1088f2b563423c1ec93f8c089969b71d79f0288292c2a70089f2b585ed6950958d278c8de1c606a58cac8d971969ef0086f2b543a4ab3385ee3a2d2a800f01839bd9ab0085f2b507aa6fffd3030044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd5001132d36e3af3ea7ffeff9ffefff540044cb4db8ebcfa9fffbfe7ffbffd
field :method	POST
field :scheme	http
field :path	/greet.Greeter/SayHello
field :authority	greeter.example:50051
field te	trailers
field content-type	application/grpc
field user-agent	tonic/0.14
field grpc-accept-encoding	identity,deflate,gzip
never x-password	1234567890 secret
field x-request-id	b8ab04fbe3a36348
field x-name-3	value 0
field accept-encoding	gzip
field x-long	0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~ 0123456789 {|}~
block 08033431380f0d02333900889acac8b21234da8f0130
field :status	418
field content-length	39
field grpc-status	0
